// invalidate_prefix: what begins so, in this process, in the shared tier and in loads under way.
#include "seawall/async.hpp"
#include "test_shared.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace seawall {

// A key that cannot always be printed.
struct moody {
  int number;
  friend bool operator==(const moody&, const moody&) = default;
  friend std::size_t hash_value(const moody& key) { return static_cast<std::size_t>(key.number); }
};
template <>
struct codec<moody> {
  static void encode(const moody& key, std::string& out) {
    if (key.number == 13) throw std::runtime_error("not today");
    out += std::to_string(key.number);
  }
};

namespace {

class Prefix : public ::testing::Test {
 protected:
  using pages_cache = cache<std::string, std::string>;

  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  std::shared_ptr<manual_executor> executor = std::make_shared<manual_executor>();
  pages_cache pages{{.name = "pages", .clock = clock, .executor = executor}};
};

TEST_F(Prefix, RemovesWhatBeginsSoAndNothingElse) {
  for (const char* key : {"list:1", "list:10", "list", "lis", "alist:1", "List:1", "list*", ""}) pages.put(key, "v");
  const std::pair<const char*, std::size_t> table[] = {{"list:", 2}, {"*", 0}, {"list", 2}, {"list", 0}, {"a", 1}};
  for (const auto& [prefix, gone] : table) {
    const auto came = pages.invalidate_prefix(prefix);
    ASSERT_TRUE(came);
    EXPECT_EQ(came->removed_here, gone) << prefix;
    EXPECT_EQ(came->removed, 0u);
    EXPECT_TRUE(came->done);
  }
  for (const char* key : {"lis", "List:1", ""}) EXPECT_TRUE(pages.contains(key)) << key;
  EXPECT_EQ(pages.size(), 3u);
}

TEST_F(Prefix, WalksOverManyEntries) {
  for (int i = 0; i != 5000; ++i) pages.put((i % 2 ? "odd:" : "even:") + std::to_string(i), "v");
  EXPECT_EQ(pages.invalidate_prefix("odd:")->removed_here, 2500u);
  EXPECT_EQ(pages.size(), 2500u);
}

TEST_F(Prefix, IsNotEmpty) {
  pages.put("a", "v");
  const auto came = pages.invalidate_prefix("");
  ASSERT_FALSE(came);
  EXPECT_EQ(came.error(), errc::invalid_argument);
  EXPECT_NE(came.error().message().find("'pages'"), std::string::npos);
  EXPECT_TRUE(pages.contains("a"));
}

TEST_F(Prefix, ALoadUnderWayIsNotStored) {
  for (const auto& [key, kept] : {std::pair{"list:1", false}, std::pair{"other", true}}) {
    (void)pages.get_or_load(key, [&](const std::string&) {
      EXPECT_EQ(pages.invalidate_prefix("list:")->removed_here, 0u);
      return std::string("old");
    });
    EXPECT_EQ(pages.contains(key), kept) << key;
  }
}

TEST_F(Prefix, AKeyThatFailsIsTriedAgain) {
  const auto fails = [](const std::string&) -> result<std::string> { return fail(errc::loader_failed); };
  const auto works = [](const std::string& key) { return key; };
  for (const char* key : {"list:1", "other"}) (void)pages.get_or_load(key, fails);
  ASSERT_FALSE(pages.get_or_load("list:1", works)) << "back-off";
  EXPECT_TRUE(pages.invalidate_prefix("list:"));
  EXPECT_TRUE(pages.get_or_load("list:1", works));
  EXPECT_FALSE(pages.get_or_load("other", works));
}

TEST_F(Prefix, WhatCannotBePrintedGoesToo) {
  cache<moody, std::string> moods{{.clock = clock}};
  for (const int key : {1, 2, 13}) moods.put(moody{key}, "v");
  EXPECT_EQ(moods.invalidate_prefix("2")->removed_here, 2u);
  EXPECT_TRUE(moods.contains(moody{1}));
}

}  // namespace

namespace shared_test {
namespace {

class SharedPrefix : public Shared {
 protected:
  result<prefix_removal> invalidate(std::string_view prefix, const prefix_options& how = {}) {
    return prefix_invalidation{*here, prefix, how}.run();
  }
};

TEST_F(SharedPrefix, RemovesFromAllProcesses) {
  for (const int key : {1, 12, 2}) store(there, key, "old");
  caller mirrors = ask(here, 12);
  ASSERT_EQ(text(mirrors), "old");
  const auto came = invalidate("1");
  ASSERT_TRUE(came);
  EXPECT_TRUE(came->done);
  EXPECT_EQ(came->removed_here, 1u);
  EXPECT_EQ(came->removed, 2u);
  EXPECT_EQ(came->total, 3u);
  EXPECT_EQ(held_by(there, 1), "nothing");
  EXPECT_EQ(held_by(there, 2), "old");
  for (const char* key : {"users:1", "users:12"}) EXPECT_FALSE(tier->holds_entry(key)) << key;
  EXPECT_TRUE(tier->holds_entry("users:2"));
}

TEST_F(SharedPrefix, LoadsThatBeganBeforeAreStoredNowhere) {
  for (const auto& process : {here, there}) {
    caller one = ask(process, 12);
    ASSERT_EQ(one.at, step::run_loader);
    EXPECT_EQ(invalidate("1")->removed, 1u) << "the lease";
    load(one, "old");
    EXPECT_EQ(held_by(process, 12), "nothing");
    EXPECT_FALSE(tier->holds_entry("users:12"));
    tier->drop("users:12");
  }
}

TEST_F(SharedPrefix, WhoWaitsForALoadLooksAgain) {
  caller leads = ask(here, 1), joins = ask(here, 1);
  ASSERT_EQ(joins.at, step::wait);
  EXPECT_TRUE(invalidate("1"));
  EXPECT_GT(joins.self->wakes, 0);
  wake(joins);
  load(joins, "new");
  load(leads, "old");
  EXPECT_EQ(text(joins), "new");
  EXPECT_EQ(held_by(here, 1), "new");
}

TEST_F(SharedPrefix, OtherVersionsAreRemovedToo) {
  configure({.shared_version = "2", .also_invalidates = {"1"}});
  store(here, 1, "of 2");
  store(here, 2, "of 2");
  std::vector<std::uint64_t> seen;
  bool ended = false;
  const auto take_lease = [&](const char* name) {
    const auto lease = std::make_shared<awaited<tier_read>>();
    lease->key = name;
    tier->read(lease);
  };
  for (const char* name : {"users@1:1", "users@3:1"}) take_lease(name);
  const auto came = invalidate("1", {.on_progress = [&](const prefix_removal& so_far) {
    EXPECT_FALSE(std::exchange(ended, so_far.done));
    seen.push_back(so_far.scanned);
  }});
  ASSERT_TRUE(came);
  EXPECT_EQ(came->removed, 2u);
  EXPECT_EQ(seen.size(), 4u + 3u);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(seen.back(), came->scanned);
  EXPECT_TRUE(tier->holds_lease("users@3:1")) << "not one that was named";
}

TEST_F(SharedPrefix, ATierThatFailsLeavesTheProcessClean) {
  store(here, 1, "old");
  tier->dead = true;
  const auto came = invalidate("1");
  ASSERT_FALSE(came);
  EXPECT_EQ(came.error(), errc::timed_out);
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(SharedPrefix, CanBeStopped) {
  for (const int key : {1, 11, 12}) store(here, key, "old");
  std::stop_source stop;
  const prefix_options how{.on_progress = [&](const auto&) { stop.request_stop(); }, .stop = stop.get_token()};
  const auto came = invalidate("1", how);
  ASSERT_TRUE(came);
  EXPECT_FALSE(came->done);
  EXPECT_EQ(came->removed, 1u);
  EXPECT_EQ(came->removed_here, 3u);
}

TEST_F(SharedPrefix, NotEveryTierCan) {
  EXPECT_EQ(tier->shared_tier::remove_prefix("users:", {}).error(), errc::invalid_argument);
}

// --- without waiting ------------------------------------------------------------------------------------------------

class AsyncPrefix : public Shared {
 protected:
  void SetUp() override {
    Shared::SetUp();
    (void)users->get_or_load(1, [](int) { return std::string("old"); });
  }
  // Whether the call has ended is not known before the executor has run it.
  std::string said() {
    io.restart();
    io.poll();
    if (!came) return "nothing";
    return *came ? std::to_string((*came)->removed) + " removed" : "error: " + came->error().code().message();
  }
  auto token() {
    return boost::asio::bind_executor(io, [this](const result<prefix_removal>& what) { came = what; });
  }

  boost::asio::io_context io;
  std::optional<result<prefix_removal>> came;
  std::optional<cache<int, std::string>> users{std::in_place,
                                               cache<int, std::string>::options{
                                                   .name = "users", .shared = std::shared_ptr<shared_tier>(tier),
                                                   .clock = clock, .executor = executor}};
};

TEST_F(AsyncPrefix, ACallbackIsCalledAtTheEnd) {
  users->async_invalidate_prefix("1", token());
  EXPECT_EQ(said(), "nothing");
  EXPECT_TRUE(tier->holds_entry("users:1"));
  executor->run_all();
  EXPECT_EQ(said(), "1 removed");
  EXPECT_FALSE(tier->holds_entry("users:1"));
  EXPECT_FALSE(users->contains(1));
}

TEST_F(AsyncPrefix, AFutureHasTheResult) {
  auto promised = users->async_invalidate_prefix("1", boost::asio::bind_executor(io, boost::asio::use_future));
  executor->run_all();
  io.run();
  EXPECT_EQ(promised.get()->removed, 1u);
}

TEST_F(AsyncPrefix, ACoroutineMayGiveOptions) {
  std::uint64_t steps = 0;
  const prefix_options how{.on_progress = [&](const auto&) { ++steps; }};
  const auto body = [&]() -> boost::asio::awaitable<void> {
    came = co_await users->async_invalidate_prefix("1", how, boost::asio::use_awaitable);
  };
  boost::asio::co_spawn(io, body(), boost::asio::bind_executor(io, [](const std::exception_ptr& thrown) {
    EXPECT_FALSE(thrown);
  }));
  io.poll();
  executor->run_all();
  EXPECT_EQ(said(), "1 removed");
  EXPECT_EQ(steps, 1u);
}

TEST_F(AsyncPrefix, WhatProgressThrowsIsTheError) {
  const prefix_options how{.on_progress = [](const auto&) { throw std::runtime_error("the user's"); }};
  users->async_invalidate_prefix("1", how, token());
  executor->run_all();
  (void)said();
  ASSERT_TRUE(came && !*came);
  EXPECT_NE(came->error().message().find("the user's"), std::string::npos);
}

TEST_F(AsyncPrefix, AnExecutorThatRunsNothingEndsIt) {
  struct idle final : seawall::executor {
    void post(task) override {}
  };
  cache<int, std::string> others{{.executor = std::make_shared<idle>()}};
  others.async_invalidate_prefix("1", token());
  EXPECT_EQ(said(), "error: " + error{errc::cancelled}.code().message());
}

TEST_F(AsyncPrefix, ACacheThatIsGoneEndsIt) {
  users->async_invalidate_prefix("1", token());
  users.reset();
  executor->run_all();
  EXPECT_EQ(said(), "error: " + error{errc::closed}.code().message());
  EXPECT_TRUE(tier->holds_entry("users:1"));
}

}  // namespace
}  // namespace shared_test
}  // namespace seawall
