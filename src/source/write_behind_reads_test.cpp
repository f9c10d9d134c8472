// What readers get beside a write-behind whose source is down, or slow.
#include "seawall/cache.hpp"
#include "seawall/testing.hpp"
#include "seawall/write_behind.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace seawall {

// Cannot always be written, nor read; and says so by something that is no std::exception.
struct sour {
  int number = 0;
};
template <>
struct codec<sour> {
  static void encode(const sour& value, std::string& out) {
    if (value.number == 13) throw value.number;
    out += std::to_string(value.number);
  }
  static result<sour> decode(std::string_view bytes) {
    if (bytes == "7") throw 7;
    return sour{std::stoi(std::string{bytes})};
  }
};

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

using writes_of = write_behind<int, std::string>;
using operations = std::span<const write_operation<int, std::string>>;

struct WriteBehindReads : ::testing::Test {
  writes_of open(invalidated_by_writes<int> told) {
    auto opened = writes_of::open({
        .name = "t",
        .write = [this](operations batch) { return apply(batch); },
        .acknowledged = acknowledged::memory,
        .batch = {.linger = 1ms},
        .retry = {.first = 1ms, .longest = 2ms},
        .is_permanent = [](const error& failure) { return failure == errc::invalid_argument; },
        .close_within = 0s,
        .cache = told,
    });
    if (!opened) throw std::runtime_error(opened.error().message());
    return *std::move(opened);
  }
  result<void> apply(operations batch) {
    const std::lock_guard lock{mutex};
    if (down) return fail(errc::loader_failed, "down");
    for (const auto& each : batch) {
      if (each.value == "poison") return fail(errc::invalid_argument, "poison");
    }
    for (const auto& each : batch) table[each.key] = each.value;
    return {};
  }
  void set_down(bool is) {
    const std::lock_guard lock{mutex};
    down = is;
  }
  std::optional<std::string> find(int key) {
    const std::lock_guard lock{mutex};
    asked.push_back(key);
    return table[key];
  }
  std::vector<std::optional<std::string>> find_many(std::span<const int> keys) {
    std::vector<std::optional<std::string>> found;
    for (const int key : keys) found.push_back(find(key));
    return found;
  }
  static std::string text(const cache<int, std::string>::answer& of) {
    return !of ? of.error().message() : *of ? **of : "none";
  }

  std::function<std::optional<std::string>(int)> loader = [this](int key) { return find(key); };
  std::function<std::vector<std::optional<std::string>>(std::span<const int>)> bulk_loader =
      [this](std::span<const int> keys) { return find_many(keys); };
  std::mutex mutex;
  std::map<int, std::optional<std::string>> table = {{1, "old 1"}, {2, "old 2"}, {3, "old 3"}};
  std::vector<int> asked;
  bool down = true;
  cache<int, std::string> rows{{.name = "rows", .ttl = 1h, .executor = std::make_shared<manual_executor>()}};
};

// What another process fills the shared tier with is, for a reader, as if it were put here.
TEST_F(WriteBehindReads, WhatWasWrittenHereIsReadWhateverTheTiersHold) {
  auto writes = open(&rows);
  ASSERT_TRUE(writes.put(1, "new 1"));
  ASSERT_TRUE(writes.remove(2));
  for (const int key : {1, 2, 3}) rows.put(key, "older");
  EXPECT_EQ(text(rows.get_or_load(1, writes.over(loader))), "older") << "over by itself does not see it";
  served how;
  EXPECT_EQ(text(writes.get_or_load(rows, 1, loader, {.report = &how})), "new 1");
  EXPECT_EQ(how.from, served_from::process);
  EXPECT_EQ(how.why, served_why::hit);
  EXPECT_EQ(text(writes.get_or_load(rows, 2, loader)), "none");
  EXPECT_EQ(text(writes.get_or_load(rows, 3, loader)), "older");
  EXPECT_EQ(text(writes.get_or_load(rows, 4, loader, {.no_store = true})), "none");
  EXPECT_FALSE(rows.contains(4)) << "options reach the cache";
  EXPECT_THAT(asked, ElementsAre(4));
  set_down(false);
  ASSERT_TRUE(writes.flush(10s));
  EXPECT_EQ(text(writes.get_or_load(rows, 1, loader)), "new 1");
  EXPECT_THAT(asked, ElementsAre(4, 1)) << "what was older is gone";
}

TEST_F(WriteBehindReads, TheCacheMayHaveTheLoader) {
  cache<int, std::string> own{{.name = "own", .ttl = 1h, .loader = [this](int key) { return find(key); }}};
  auto writes = open(&own);
  ASSERT_TRUE(writes.put(1, "new 1"));
  own.put(1, "older");
  EXPECT_EQ(text(writes.get_or_load(own, 1)), "new 1");
  EXPECT_EQ(text(writes.get_or_load(own, 2)), "old 2");
  served how;
  EXPECT_EQ(text(writes.get_or_load(own, 2, {.report = &how})), "old 2");
  EXPECT_EQ(how.why, served_why::hit);
  EXPECT_THAT(asked, ElementsAre(2));
}

TEST_F(WriteBehindReads, ManyKeysAreAnsweredTogether) {
  auto writes = open(&rows);
  ASSERT_TRUE(writes.put(1, "new 1"));
  ASSERT_TRUE(writes.remove(3));
  for (const int key : {1, 3, 4}) rows.put(key, "older");
  const auto read = [&](auto&& answers) {
    std::vector<std::string> texts;
    for (const auto& each : answers) texts.push_back(text(each));
    return texts;
  };
  const std::vector<int> keys{3, 2, 1, 4};
  EXPECT_THAT(read(writes.get_many(rows, keys, bulk_loader)), ElementsAre("none", "old 2", "new 1", "older"));
  EXPECT_THAT(asked, ElementsAre(2));
  EXPECT_THAT(read(writes.get_many(rows, std::vector{1, 3}, bulk_loader)), ElementsAre("new 1", "none"));
  rows.clear();
  EXPECT_THAT(read(rows.get_many(keys, writes.over_many(bulk_loader))), ElementsAre("none", "old 2", "new 1", "none"));
  EXPECT_THAT(asked, ElementsAre(2, 2, 4));
  EXPECT_THAT(read(rows.get_many(std::vector{1, 3}, writes.over_many(bulk_loader))), ElementsAre("new 1", "none"));
  EXPECT_FALSE(rows.contains(1) || rows.contains(3));
  EXPECT_TRUE(rows.contains(2));
}

TEST_F(WriteBehindReads, WhatTheSourceDoesNotHaveYetIsStoredNowhere) {
  auto writes = open(&rows);
  ASSERT_TRUE(writes.put(1, "poison"));
  EXPECT_EQ(text(rows.get_or_load(1, writes.over(loader))), "poison");
  EXPECT_FALSE(rows.contains(1));
  set_down(false);
  ASSERT_TRUE(writes.flush(10s));
  EXPECT_EQ(text(writes.get_or_load(rows, 1, loader)), "old 1") << "it was refused";
}

// A cache that notes whether the operation was still known when it heard of the key.
struct witness {
  void invalidate(int key) {
    const std::lock_guard lock{mutex};
    const writes_of* asked = writes;
    known.push_back(asked != nullptr && asked->pending(key).has_value());
    if (fails) throw std::runtime_error("the cache fails");
  }
  std::vector<bool> heard() {
    const std::lock_guard lock{mutex};
    return known;
  }
  std::mutex mutex;
  std::atomic<const writes_of*> writes = nullptr;
  std::atomic<bool> fails = false;
  std::vector<bool> known;
};

TEST_F(WriteBehindReads, TheCacheHearsOfAnAppliedWriteBeforeItIsForgotten) {
  for (const bool fails : {false, true}) {
    set_down(true);
    witness told;
    auto writes = open(&told);
    told.writes = &writes;
    told.fails = fails;
    EXPECT_TRUE(writes.put(1, "new"));
    EXPECT_THAT(told.heard(), ElementsAre(true)) << "accepted";
    set_down(false);
    ASSERT_TRUE(writes.flush(10s));
    ASSERT_GE(told.heard().size(), 2U);
    EXPECT_TRUE(told.heard()[1]) << "applied, and still pending";
  }
}

TEST_F(WriteBehindReads, TheCacheHearsOfADeadLetterBeforeItIsForgotten) {
  witness told;
  auto writes = open(&told);
  told.writes = &writes;
  ASSERT_TRUE(writes.put(1, "poison"));
  set_down(false);
  ASSERT_TRUE(writes.flush(10s));
  ASSERT_EQ(writes.stats().buried, 1U);
  EXPECT_THAT(told.heard(), ElementsAre(true, true)) << "an attempt may have left something in the source";
}

TEST(WriteBehindCodec, WhateverItThrowsIsAnError) {
  auto opened = write_behind<int, sour>::open({
      .name = "t",
      .write = [](auto) -> result<void> { return {}; },
      .acknowledged = acknowledged::memory,
      .batch = {.linger = 1ms},
      .retry = {.first = 1ms, .longest = 2ms},
  });
  ASSERT_TRUE(opened);
  const auto refused = opened->put(1, sour{13});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::invalid_argument);
  ASSERT_TRUE(opened->put(2, sour{7}));
  ASSERT_TRUE(opened->flush(10s));
  const auto letters = opened->dead_letters();
  ASSERT_EQ(letters.size(), 1U) << "what cannot be read is not tried again and again";
  EXPECT_EQ(letters[0].key, 2);
  EXPECT_FALSE(letters[0].value);
}

}  // namespace
}  // namespace seawall
