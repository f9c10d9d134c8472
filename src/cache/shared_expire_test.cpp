// expire over a shared tier.
#include "test_shared.hpp"

namespace seawall::shared_test {
namespace {

struct SharedExpire : Shared {
  void SetUp() override { configure({.ttl = 100s, .stale_for = 60s, .stale_if_error = 90s}); }
  bool expire(const std::shared_ptr<test_core>& process) { return process->expire(1, process->hash_of(1)); }
};

TEST_F(SharedExpire, AllProcessesServeItStaleWhileOneRefreshes) {
  store(here, 1, "old");
  caller fills_there = ask(there, 1);
  EXPECT_TRUE(expire(here));
  EXPECT_EQ(held_by(here, 1), "nothing");
  EXPECT_EQ(held_by(there, 1), "nothing");
  caller refreshes = ask(there, 1);
  ASSERT_EQ(refreshes.at, step::run_loader);
  caller other = ask(here, 1);
  EXPECT_EQ(text(other), "old");
  load(refreshes, "new");
  caller after = ask(here, 1);
  EXPECT_EQ(text(after), "new");
}

TEST_F(SharedExpire, ItIsThereForASourceThatFails) {
  store(here, 1, "old");
  expire(there);
  clock->advance(89s);
  caller one = ask(here, 1);
  load(one, error{errc::loader_failed});
  EXPECT_EQ(text(one), "old");
  clock->advance(2s);
  caller late = ask(there, 1);
  load(late, error{errc::loader_failed});
  EXPECT_EQ(text(late), "error: " + error{errc::loader_failed}.code().message());
}

TEST_F(SharedExpire, ARefreshThatBeganBeforeIsNotStored) {
  store(here, 1, "old");
  clock->advance(101s);
  caller refreshes = ask(there, 1);
  ASSERT_EQ(refreshes.at, step::run_loader);
  expire(here);
  load(refreshes, "from before");
  EXPECT_EQ(tier->entry("users:1").payload, "old");
  EXPECT_EQ(held_by(there, 1), "nothing");
}

TEST_F(SharedExpire, ALoadThatBeganBeforeIsNotStored) {
  caller loads = ask(there, 1);
  EXPECT_FALSE(expire(here));
  load(loads, "from before");
  EXPECT_FALSE(tier->holds_entry("users:1"));
}

TEST_F(SharedExpire, WhatMayNotBeServedStaleIsRemoved) {
  configure({.ttl = 100s});
  store(here, 1, "old");
  EXPECT_TRUE(expire(here));
  EXPECT_FALSE(tier->holds_entry("users:1"));
}

TEST_F(SharedExpire, ATagStillTakesItAway) {
  caller first = ask(here, 1, {.tags = {"t"}});
  load(first, "old");
  expire(here);
  here->invalidate_tag(tag_list::hash_of("t"));
  caller one = ask(there, 1);
  load(one, error{errc::loader_failed});
  EXPECT_EQ(text(one), "error: " + error{errc::loader_failed}.code().message());
}

// ---- versions of the program ----

struct SharedVersion : Shared {
  std::shared_ptr<test_core> program(std::string version, std::vector<std::string> others = {}) {
    cache_options<int, std::string> options{.name = "users", .ttl = 100s, .jitter = 0, .stale_for = 60s,
                                            .shared = std::shared_ptr<shared_tier>(tier),
                                            .shared_version = std::move(version),
                                            .also_invalidates = std::move(others), .clock = clock, .seed = 7};
    auto made = std::make_shared<test_core>(options, hash<int>{}, std::equal_to<>{}, clock, executor);
    made->attach();
    return made;
  }
};

TEST_F(SharedVersion, EachHasEntriesOfItsOwn) {
  const auto old = program("");
  const auto now = program("2");
  store(old, 1, "old");
  store(now, 1, "new");
  EXPECT_EQ(tier->entry("users:1").payload, "old");
  EXPECT_EQ(tier->entry("users@2:1").payload, "new");
  EXPECT_EQ(held_by(old, 1), "old");
  EXPECT_EQ(held_by(now, 1), "new");
}

TEST_F(SharedVersion, AWriterRemovesTheEntriesOfThoseItKnows) {
  const auto old = program("", {"2"});
  const auto now = program("2", {"", "2"});
  using write = std::function<void(test_core&)>;
  const write writes[] = {
      [](test_core& one) { one.invalidate(1, one.hash_of(1)); },
      [](test_core& one) { (void)one.invalidate_many(std::vector<int>{1}); },
      [](test_core& one) { one.begin_invalidate(1, one.hash_of(1), [](bool) {}); },
      [](test_core& one) { one.expire(1, one.hash_of(1)); },
      [](test_core& one) {
        one.put(1, one.hash_of(1), std::make_shared<const std::string>("put"), one.policy(), {}, 9);
      },
      [](test_core& one) { one.clear(); },
      [](test_core& one) { one.invalidate_tag(tag_list::hash_of("t")); },
      [](test_core& one) { one.begin_invalidate_tag(tag_list::hash_of("t"), [] {}); },
  };
  for (const write& one : writes) {
    for (const auto& [writer, reader] : {std::pair{old, now}, std::pair{now, old}}) {
      caller first = ask(reader, 1, {.tags = {"t"}});
      load(first, loaded<std::string>("before").with({.version = 1}));
      ASSERT_EQ(held_by(reader, 1), "before");
      one(*writer);
      EXPECT_EQ(held_by(reader, 1), "nothing") << &one - writes;
      caller second = ask(reader, 1);
      EXPECT_EQ(second.at, step::run_loader) << &one - writes;
    }
  }
}

TEST_F(SharedVersion, TheAsynchronousTagEndsOnceAllAreChanged) {
  const auto one = program("2", {"", "1"});
  tier->automatic = false;
  int ended = 0;
  one->begin_invalidate_tag(5, [&] { ++ended; });
  tier->run_one();
  tier->run_one();
  EXPECT_EQ(ended, 0);
  tier->run_one();
  EXPECT_EQ(ended, 1);
}

}  // namespace
}  // namespace seawall::shared_test
