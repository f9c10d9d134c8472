#include "seawall/cmd/async.hpp"

#include "seawall/cmd/keys.hpp"
#include "seawall/cmd/scripting.hpp"
#include "seawall/cmd/strings.hpp"
#include "test_allocations.hpp"
#include "test_commands.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

namespace seawall::cmd {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using lines = std::vector<std::string>;
using text_result = result<std::optional<std::string>>;

struct Async : testing::Test {
  scripted_target redis;
  asio::io_context io;
  std::optional<text_result> got;

  auto keep() {
    return asio::bind_executor(io, [this](text_result given) { got.emplace(std::move(given)); });
  }
  auto keep(asio::cancellation_signal& signal) { return asio::bind_cancellation_slot(signal.slot(), keep()); }
  void drain() {
    io.restart();
    io.run();
  }
};

TEST_F(Async, ACallbackRunsOnItsExecutor) {
  redis.hold = true;
  async_run(redis, get("k"), keep());
  redis.replies = frame("$1 v");
  redis.answer_all();
  EXPECT_FALSE(got);
  drain();
  EXPECT_EQ(got.value().value(), "v");
}

TEST_F(Async, ACallbackWithoutAnExecutorRunsOnATargetsThread) {
  redis.hold = true;
  async_run(redis, get("k"), [&](text_result given) { got.emplace(std::move(given)); });
  redis.replies = frame("$1 v");
  redis.answer_all();
  EXPECT_EQ(got.value().value(), "v");
}

TEST_F(Async, AnEndInsideSubmitIsNotAnEndInsideTheCall) {
  redis.replies = frame("$1 v");
  async_run(redis, get("k"), keep());
  EXPECT_FALSE(got);
  drain();
  EXPECT_EQ(got.value().value(), "v");
  asio::post(io, [&] {
    got.reset();
    redis.replies = frame("$1 w");
    async_run(redis, get("k"), keep());
    EXPECT_FALSE(got);
  });
  drain();
  EXPECT_EQ(got.value().value(), "w");
}

TEST_F(Async, OnItsOwnThreadTheHandlerRunsAtOnce) {
  redis.hold = true;
  async_run(redis, get("k"), keep());
  redis.replies = frame("$1 v");
  asio::post(io, [&] {
    redis.answer_all();
    EXPECT_TRUE(got);
  });
  drain();
}

TEST_F(Async, TheExecutorHasWorkUntilTheEnd) {
  redis.hold = true;
  async_run(redis, get("k"), keep());
  EXPECT_EQ(io.poll(), 0U);
  EXPECT_FALSE(io.stopped());
  redis.replies = frame("$1 v");
  redis.answer_all();
  drain();
  EXPECT_TRUE(io.stopped());
}

TEST_F(Async, AnInvalidCommandFailsThroughTheExecutor) {
  std::optional<result<bool>> failed;
  async_run(redis, set("k", "v", {.ex = 0s}),
            asio::bind_executor(io, [&](result<bool> given) { failed.emplace(std::move(given)); }));
  EXPECT_FALSE(failed);
  drain();
  EXPECT_EQ(failed.value().error(), seawall::errc::invalid_argument);
  EXPECT_TRUE(redis.sent.empty());
}

TEST_F(Async, ACoroutineAwaitsCommandsPipelinesAndTransactions) {
  bool through = false;
  const auto user = [&]() -> asio::awaitable<void> {
    redis.replies = frame("$1 v");
    const auto one = co_await async_run(redis, get("k"), asio::use_awaitable);
    EXPECT_EQ(one.value(), "v");
    redis.replies = frame(":1") + frame("$-1");
    const auto [hits, name] = co_await async_run(redis, incr("h"), get("n"), asio::use_awaitable);
    EXPECT_EQ(hits.value(), 1);
    EXPECT_EQ(name.value(), std::nullopt);
    redis.replies = frame("+OK") + frame("+QUEUED") + frame("+QUEUED") + frame("*2 +OK :2");
    const auto done = co_await async_transaction(redis, set("a", 1, {.ex = 5s}), incr("h"), asio::use_awaitable);
    EXPECT_EQ(std::get<1>(done.value()).value(), 2);
    std::vector<command<std::int64_t>> list;
    list.push_back(incr("a"));
    list.push_back(incr("b"));
    redis.replies = frame(":1") + frame(":2");
    const auto both = co_await async_run(redis, std::move(list), asio::use_awaitable);
    EXPECT_EQ(both.at(1).value(), 2);
    std::vector<command<std::int64_t>> none;
    EXPECT_TRUE((co_await async_run(redis, std::move(none), asio::use_awaitable)).empty());
    std::vector<command<std::int64_t>> last;
    last.push_back(incr("c"));
    redis.replies = frame("+OK") + frame("+QUEUED") + frame("*1 :9");
    const auto listed = co_await async_transaction(redis, std::move(last), asio::use_awaitable);
    EXPECT_EQ(listed.value().at(0).value(), 9);
    through = true;
  };
  asio::co_spawn(io, user(), asio::detached);
  drain();
  EXPECT_TRUE(through);
  EXPECT_EQ(redis.sent, (lines{"GET k", "INCR h; GET n", "MULTI; SET a 1 EX 5; INCR h; EXEC", "INCR a; INCR b",
                               "MULTI; INCR c; EXEC"}));
}

TEST_F(Async, AFutureIsAToken) {
  redis.replies = frame("$1 v");
  auto given = async_run(redis, get("k"), asio::use_future);
  EXPECT_EQ(given.get().value(), "v");
}

TEST_F(Async, AnUnknownScriptIsSentWithItsSource) {
  const script one{"return 1"};
  std::optional<result<int>> ran;
  redis.replies = frame("-NOSCRIPT") + frame(":1");
  async_run(redis, eval<int>(one, "k"), asio::bind_executor(io, [&](result<int> given) { ran.emplace(given); }));
  drain();
  EXPECT_EQ(ran.value().value(), 1);
  EXPECT_EQ(redis.sent.at(1), "EVAL return 1 1 k");
  std::optional<std::tuple<result<int>, text_result>> both;
  redis.replies = frame("-NOSCRIPT") + frame("$1 v") + frame(":2");
  async_run(redis, eval<int>(one, "k"), get("x"),
            asio::bind_executor(io, [&](const auto& given) { both.emplace(given); }));
  drain();
  EXPECT_EQ(std::get<0>(both.value()).value(), 2);
  EXPECT_EQ(std::get<1>(both.value()).value(), "v");
}

TEST_F(Async, CancellationEndsACommand) {
  asio::cancellation_signal signal;
  redis.hold = true;
  async_run(redis, get("k"), keep(signal));
  signal.emit(asio::cancellation_type::total);
  EXPECT_FALSE(got);
  drain();
  EXPECT_EQ(got.value().error(), seawall::errc::cancelled);
}

TEST_F(Async, TotalCancellationLeavesAWriteAlone) {
  asio::cancellation_signal signal;
  redis.hold = true;
  std::optional<result<std::int64_t>> hits;
  async_run(redis, incr("k"),
            asio::bind_cancellation_slot(
                signal.slot(), asio::bind_executor(io, [&](result<std::int64_t> given) { hits.emplace(given); })));
  signal.emit(asio::cancellation_type::total);
  EXPECT_TRUE(redis.cancelled.empty());
  signal.emit(asio::cancellation_type::terminal);
  drain();
  EXPECT_EQ(hits.value().error(), seawall::errc::cancelled);
}

TEST_F(Async, CancellationAfterTheEndDoesNothing) {
  asio::cancellation_signal signal;
  redis.hold = true;
  async_run(redis, get("k"), keep(signal));
  redis.replies = frame("$1 v");
  redis.answer_all();
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_TRUE(redis.cancelled.empty());
  drain();
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_TRUE(redis.cancelled.empty());
  EXPECT_EQ(got.value().value(), "v");
}

TEST_F(Async, CancellationEndsWhatIsLeftOfAPipeline) {
  asio::cancellation_signal signal;
  redis.hold = true;
  std::optional<std::tuple<text_result, text_result>> both;
  async_run(redis, get("a"), get("b"),
            asio::bind_cancellation_slot(signal.slot(),
                                         asio::bind_executor(io, [&](const auto& given) { both.emplace(given); })));
  request* const second = redis.waiting.back();
  redis.waiting.pop_back();
  redis.replies = frame("$1 v");
  redis.answer_all();
  redis.waiting.push_back(second);
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_FALSE(both);
  drain();
  EXPECT_EQ(std::get<0>(both.value()).value(), "v");
  EXPECT_EQ(std::get<1>(both.value()).error(), seawall::errc::cancelled);
  EXPECT_EQ(redis.cancelled, (std::vector<request*>{second}));
}

TEST_F(Async, CancellationEndsATransaction) {
  asio::cancellation_signal signal;
  redis.hold = true;
  std::optional<result<std::tuple<result<std::int64_t>>>> done;
  async_transaction(redis, incr("a"),
                    asio::bind_cancellation_slot(
                        signal.slot(), asio::bind_executor(io, [&](auto given) { done.emplace(std::move(given)); })));
  signal.emit(asio::cancellation_type::partial);
  drain();
  EXPECT_EQ(done.value().error(), seawall::errc::cancelled);
}

TEST_F(Async, CancellationBetweenTheRoundsOfAScriptSendsNoSource) {
  const script one{"return 1"};
  asio::cancellation_signal signal;
  redis.hold = true;
  std::optional<result<int>> ran;
  async_run(redis, eval<int>(one, "k"),
            asio::bind_cancellation_slot(signal.slot(),
                                         asio::bind_executor(io, [&](result<int> given) { ran.emplace(given); })));
  redis.replies = frame("-NOSCRIPT");
  redis.answer_all();
  signal.emit(asio::cancellation_type::terminal);
  drain();
  EXPECT_EQ(ran.value().error(), seawall::errc::cancelled);
  EXPECT_EQ(redis.sent.size(), 1U);
}

/// Answers every request with the same bytes when its loop comes to it, without an allocation.
class steady_target final : public target {
 public:
  explicit steady_target(asio::io_context& io) : io_(io) {}
  void submit(request& one) override {
    one.next = waiting_;
    waiting_ = &one;
    if (one.next == nullptr) asio::post(io_, [this] { answer(); });
  }
  void submit_all(request& first) override { submit(first); }
  void cancel(request&) override {}
  void wait(const std::atomic<bool>&) override {}
  duration default_timeout() const noexcept override { return 1s; }

 private:
  void answer() {
    for (request* one = std::exchange(waiting_, nullptr); one != nullptr;) {
      request* const after = std::exchange(one->next, nullptr);
      one->on_reply(0, resp::view{std::string_view{"$1\r\nv\r\n"}});
      one->on_end(nullptr);
      one = after;
    }
  }
  asio::io_context& io_;
  request* waiting_ = nullptr;
};

TEST_F(Async, ACoroutinesCommandAllocatesNothing) {
  steady_target steady{io};
  std::size_t used = 1;
  const auto user = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 10; ++i) (void)co_await async_run(steady, get("user:42"), asio::use_awaitable);
    const std::size_t before = allocations_so_far();
    for (int i = 0; i < 100; ++i) {
      const auto given = co_await async_run(steady, get("user:42"), asio::use_awaitable);
      if (given.value() != "v") co_return;
    }
    used = allocations_so_far() - before;
  };
  asio::co_spawn(io, user(), asio::detached);
  drain();
  EXPECT_EQ(used, 0U);
}

TEST_F(Async, AnExecutorThatEndsFirstDestroysTheOperation) {
  const auto alive = std::make_shared<int>(0);
  {
    asio::io_context short_lived;
    redis.hold = true;
    async_run(redis, get("k"), asio::bind_executor(short_lived, [alive](const text_result&) {}));
    redis.replies = frame("$1 v");
    redis.answer_all();
    EXPECT_EQ(alive.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace seawall::cmd
