// The engine over a disk that fails, and beside a source that stands still: what the threads do at which moment.
#include "seawall/source/write_engine.hpp"

#include "local_log_files.hpp"
#include "test_disk.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace seawall::source {
namespace {

using namespace std::chrono_literals;

engine_options options() {
  return {.name = "t",
          .log = {.directory = "log"},
          .most_backlog = 100,
          .most_backlog_bytes = 10000,
          .most_operation_bytes = 100,
          .most_dead_letters = 9};
}

engine_hooks writing(std::function<result<void>(std::span<const operation_ptr>)> write) {
  return {.write = std::move(write), .is_permanent = nullptr, .settled = nullptr};
}

// Closed, it holds up those who come to it.
class gate {
 public:
  void pass() const { opened_.wait(); }
  void open() { promise_.set_value(); }

 private:
  std::promise<void> promise_;
  std::shared_future<void> opened_ = promise_.get_future().share();
};

template <class Condition>
void wait_for(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (!condition() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_TRUE(condition());
}

TEST(WriteEngine, AcknowledgesNothingThatTheDiskDoesNotHave) {
  auto disk = std::make_shared<test_disk>();
  std::atomic<int> code = 0;
  disk->fault = [&](disk_operation what, const std::string&) {
    return what == disk_operation::append || what == disk_operation::sync ? code.load() : 0;
  };
  std::atomic<bool> down = true;
  const engine_hooks hooks{
      .write = [&](auto) -> result<void> { return down ? fail(errc::loader_failed, "down") : result<void>{}; },
      .is_permanent = nullptr,
      .settled = nullptr};
  auto running = *open_write_engine(options(), hooks, disk);
  const auto since = std::chrono::system_clock::now().time_since_epoch() - 24h;
  EXPECT_GT(running->submit(false, "a", "1", 1s)->sequence, static_cast<std::uint64_t>(since / 1us))
      << "the rows of the source may have versions from another log";
  for (const int reason : {ENOSPC, EIO}) {
    code = reason;
    const auto refused = running->submit(false, "refused", "1", 1s);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code().value(), reason);
    EXPECT_THAT(refused.error().message(), testing::HasSubstr("'log/segment-0"));
    EXPECT_EQ(running->pending("refused"), nullptr);
    code = 0;
    ASSERT_TRUE(running->submit(false, "b", "1", 1s)) << "as soon as the disk is well";
  }
  EXPECT_EQ(running->stats().refused, 2U);
  EXPECT_EQ(running->stats().accepted, 3U);
  running.reset();
  down = false;
  const auto again = open_write_engine(options(), hooks, disk);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ((*again)->stats().recovered, 3U) << "and none of those that were refused";
  ASSERT_TRUE((*again)->flush(10s, nullptr));
}

TEST(WriteEngine, AWriterGetsTheRoomThatAReplacedOperationLeaves) {
  auto disk = std::make_shared<test_disk>();
  gate disk_gate;
  std::atomic<bool> holds = false;
  disk->fault = [&](disk_operation what, const std::string&) {
    if (what == disk_operation::sync && holds) disk_gate.pass();
    return 0;
  };
  auto how = options();
  how.batch.linger = 1h;
  how.retry = {.first = 1h, .longest = 1h};
  how.most_backlog = 2;
  auto running = *open_write_engine(how, writing([](auto) { return fail(errc::loader_failed, "down"); }), disk);
  ASSERT_TRUE(running->submit(false, "a", "1", 1s));
  holds = true;
  auto second = std::async(std::launch::async, [&] { return running->submit(false, "a", "2", 10s); });
  wait_for([&] { return running->stats().backlog == 2; });
  auto third = std::async(std::launch::async, [&] { return running->submit(false, "b", "1", 10s); });
  wait_for([&] { return running->stats().failed_batches == 1; });  // for the sake of the third, which waits for room
  disk_gate.open();
  EXPECT_TRUE(second.get());
  EXPECT_TRUE(third.get());
  EXPECT_EQ(running->stats().backlog, 2U);
}

TEST(WriteEngine, AcknowledgesNoMoreWhenItsIntervalSyncsFail) {
  auto disk = std::make_shared<test_disk>();
  std::atomic<bool> fails = false;
  disk->fault = [&](disk_operation what, const std::string&) {
    return what == disk_operation::sync && fails ? EIO : 0;
  };
  auto how = options();
  how.log.sync = sync::interval;
  how.log.sync_every = 1ms;
  const auto hooks = writing([](auto) { return fail(errc::loader_failed, "down"); });
  auto running = *open_write_engine(how, hooks, disk);
  fails = true;
  ASSERT_TRUE(running->submit(false, "a", "1", 1s));
  wait_for([&] { return running->stats().failed_syncs != 0; });
  for (int attempt = 0; attempt != 9; ++attempt) {
    const auto refused = running->submit(false, "refused", "1", 1s);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), boost::system::errc::io_error);
  }
  EXPECT_LE(running->stats().log_segments, 2U);
  fails = false;
  ASSERT_TRUE(running->submit(false, "b", "1", 1s)) << "as soon as the disk is well";
  ASSERT_TRUE(running->close(0s)) << "what is left is durable";

  running = *open_write_engine(how, hooks, disk);
  EXPECT_EQ(running->stats().recovered, 2U);
  fails = true;
  ASSERT_TRUE(running->submit(false, "c", "1", 1s));
  const auto closed = running->close(0s);
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code(), boost::system::errc::io_error);
}

TEST(WriteEngine, ADeadLetterThatIsGoneDoesNotComeBack) {
  auto disk = std::make_shared<test_disk>();
  auto how = options();
  how.batch.most = 1;
  how.retry = {.first = 1ms, .longest = 1ms};
  std::mutex mutex;
  std::string applied;
  std::atomic<bool> down = true;
  auto hooks = writing([&](std::span<const operation_ptr> batch) -> result<void> {
    if (down && batch[0]->key == "stuck") return fail(errc::loader_failed, "down");
    if (batch[0]->value == "poison") return fail(errc::loader_failed, "refused");
    const std::lock_guard lock{mutex};
    for (const auto& each : batch) applied += each->value;
    return {};
  });
  hooks.is_permanent = [](const error& failure) { return failure.message() == "refused"; };
  auto running = *open_write_engine(how, hooks, disk);
  ASSERT_TRUE(running->submit(false, "stuck", "1", 1s));
  const auto poison = running->submit(false, "a", "poison", 1s)->sequence;
  wait_for([&] { return running->stats().buried == 1; });
  ASSERT_TRUE(running->discard(poison));
  ASSERT_TRUE(running->submit(false, "b", "2", 1s));
  wait_for([&] { return running->stats().applied == 1; });
  ASSERT_TRUE(running->close(0s));

  running = *open_write_engine(how, hooks, disk);
  EXPECT_EQ(running->stats().recovered, 3U);
  EXPECT_EQ(running->pending("a"), nullptr);
  down = false;
  ASSERT_TRUE(running->flush(10s, nullptr));
  EXPECT_EQ(running->stats().buried, 0U);
  std::ranges::sort(applied);
  EXPECT_EQ(applied, "122") << "none that was refused";
}

TEST(WriteEngine, TellsOfWhatOpeningFindsAndOfWhatIsAppliedBeforeTheLogForgetsIt) {
  auto disk = std::make_shared<test_disk>();
  std::atomic<bool> down = true;
  std::atomic<int> told = 0;
  gate telling;
  auto hooks = writing([&](auto) -> result<void> {
    return down ? fail(errc::loader_failed, "down") : result<void>{};
  });
  hooks.settled = [&](std::span<const operation_ptr> operations) {
    EXPECT_EQ(operations.front()->key, "a");
    if (++told == 2) telling.pass();
  };
  auto running = *open_write_engine(options(), hooks, disk);
  const auto sequence = running->submit(false, "a", "1", 1s)->sequence;
  ASSERT_TRUE(running->close(0s));
  EXPECT_EQ(told, 0);
  down = false;
  running = *open_write_engine(options(), hooks, disk);
  EXPECT_GE(told, 1) << "at opening";
  wait_for([&] { return told == 2; });
  EXPECT_EQ(running->pending("a")->value, "1");
  ASSERT_TRUE(running->submit(false, "a", "2", 1s));
  ASSERT_TRUE(running->submit(false, "a", "3", 1s)) << "a checkpoint that was due came between";
  EXPECT_EQ(running->stats().failed_checkpoints, 0U);
  EXPECT_LT(read_checkpoint(*disk->content("log/checkpoint"))->applied, sequence);
  EXPECT_FALSE(running->flush(0s, nullptr));
  telling.open();
  ASSERT_TRUE(running->flush(10s, nullptr));
  EXPECT_EQ(told, 3);
}

TEST(WriteEngine, TellsOfWritesThatAreAcceptedWhenTheirCallerHasLeft) {
  auto disk = std::make_shared<test_disk>();
  gate disk_gate;
  std::atomic<bool> holds = false;
  disk->fault = [&](disk_operation what, const std::string&) {
    if (what == disk_operation::sync && holds) disk_gate.pass();
    return 0;
  };
  std::atomic<int> told = 0;
  auto hooks = writing([](auto) { return fail(errc::loader_failed, "down"); });
  hooks.settled = [&](std::span<const operation_ptr> operations) {
    EXPECT_EQ(operations.front()->key, "a");
    ++told;
  };
  auto running = *open_write_engine(options(), hooks, disk);
  holds = true;
  const auto late = running->submit(false, "a", "1", 1ms);
  EXPECT_TRUE(!late && late.error() == errc::timed_out);
  EXPECT_EQ(told, 0);
  disk_gate.open();
  wait_for([&] { return told == 1; });
  EXPECT_NE(running->pending("a"), nullptr);
  ASSERT_TRUE(running->submit(false, "b", "1", 1s)) << "nobody is told who is still there";
}

TEST(WriteEngine, FlushesUntilTheCacheHasBeenTold) {
  gate opened;
  std::promise<std::future<result<void>>> flush;
  std::shared_ptr<write_engine> running;
  auto hooks = writing([&](auto) {
    opened.pass();
    return result<void>{};
  });
  hooks.settled = [&](auto) {
    auto began = std::async(std::launch::async, [&] { return running->flush(10s, nullptr); });
    EXPECT_EQ(began.wait_for(20ms), std::future_status::timeout) << "the source has it, and the cache does not know";
    flush.set_value(std::move(began));
  };
  running = *open_write_engine(options(), hooks, std::make_shared<test_disk>());
  ASSERT_TRUE(running->submit(false, "a", "1", 1s));
  opened.open();
  EXPECT_TRUE(flush.get_future().get().get());
}

TEST(WriteEngine, EndsNothingWhenAHookThrows) {
  auto how = options();
  std::mutex mutex;
  std::string said;
  how.retry = {.first = 1ms, .longest = 1ms};
  how.on_log = [&](log_level, std::string_view text) {
    const std::lock_guard lock{mutex};
    said.append(text);
    throw std::runtime_error("no log");
  };
  std::atomic<int> calls = 0;
  auto hooks = writing([&](auto) { return ++calls == 1 ? fail(errc::loader_failed, "down") : result<void>{}; });
  hooks.is_permanent = [](const error&) -> bool { throw std::runtime_error("no answer"); };
  hooks.settled = [](auto) { throw std::runtime_error("no cache"); };
  auto running = *open_write_engine(how, hooks, std::make_shared<test_disk>());
  ASSERT_TRUE(running->submit(false, "a", "1", 1s));
  ASSERT_TRUE(running->flush(10s, nullptr));
  EXPECT_EQ(calls, 2);
  EXPECT_THAT(said, testing::HasSubstr("no answer"));
  EXPECT_THAT(said, testing::HasSubstr("no cache"));
}

}  // namespace
}  // namespace seawall::source
