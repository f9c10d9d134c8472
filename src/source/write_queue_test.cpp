#include "write_queue.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace seawall::source {
namespace {

using namespace std::chrono_literals;

operation_ptr put(std::uint64_t sequence, std::string key, std::string value = "v") {
  return std::make_shared<stored_operation>(
      stored_operation{.sequence = sequence, .key = std::move(key), .value = std::move(value)});
}
operation_ptr removal(std::uint64_t sequence, std::string key) {
  return std::make_shared<stored_operation>(
      stored_operation{.sequence = sequence, .removed = true, .key = std::move(key)});
}

std::string text(const std::vector<operation_ptr>& batch) {
  std::string all;
  for (const auto& operation : batch) {
    all += fmt::format("{}{}{} ", operation->removed ? "-" : "", operation->key, operation->sequence);
  }
  return all;
}

class WriteQueue : public testing::Test {
 protected:
  write_queue queue{
      {.most = 4, .most_bytes = 100, .linger = 20ms}, {.first = 10ms, .longest = 1s, .attempts = 3}, 0, 1};
  time_point now = time_point{} + 1h;
};

TEST_F(WriteQueue, BatchesBySizeAndByTime) {
  queue.add(put(1, "a"), now);
  queue.add(put(2, "b"), now + 5ms);
  EXPECT_EQ(queue.next_due(), now + 20ms);
  EXPECT_EQ(text(queue.take(now + 19ms)), "");
  EXPECT_EQ(text(queue.take(now + 20ms)), "a1 b2 ");
  EXPECT_EQ(queue.next_due(), never) << "one batch at a time";
  queue.succeeded();
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_EQ(queue.bytes(), 0U);

  for (std::uint64_t i = 3; i != 8; ++i) queue.add(put(i, fmt::format("c{}", i)), now);
  EXPECT_EQ(text(queue.take(now)), "c33 c44 c55 c66 ") << "four are enough, and one is left";
  queue.succeeded();
  EXPECT_EQ(text(queue.take(now)), "");
  EXPECT_EQ(text(queue.take(now, true)), "c77 ") << "a hurry does not linger";
  queue.succeeded();
  queue.add(put(8, "d", std::string(70, 'x')), now);
  queue.add(put(9, "e", std::string(40, 'x')), now);
  EXPECT_EQ(text(queue.take(now)), "d8 ") << "by bytes";
}

TEST_F(WriteQueue, LastOperationOfAKeyWins) {
  queue.add(put(1, "a"), now);
  queue.add(put(2, "b"), now);
  queue.add(removal(3, "a"), now + 10ms);
  EXPECT_EQ(queue.coalesced(), 1U);
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.window().settled_through(), 0U) << "the source has nothing of a";
  EXPECT_EQ(queue.window().unsettled(1), 1U);
  EXPECT_EQ(queue.window().oldest(), now);
  EXPECT_TRUE(queue.pending("a")->removed);
  EXPECT_EQ(text(queue.take(now + 20ms)), "-a3 b2 ") << "in its first place, and no later for it";
  queue.succeeded();
  EXPECT_EQ(queue.pending("a"), nullptr);
  EXPECT_EQ(queue.window().settled_through(), 3U);
}

TEST_F(WriteQueue, AKeysNextOperationWaitsForTheOneThatRuns) {
  queue.add(put(1, "a"), now);
  EXPECT_EQ(text(queue.take(now, true)), "a1 ");
  queue.add(put(2, "a"), now);
  queue.add(put(3, "a"), now);
  queue.add(put(4, "b"), now);
  EXPECT_EQ(queue.pending("a")->sequence, 3U);
  EXPECT_EQ(text(queue.take(now + 1h, true)), "");
  EXPECT_FALSE(queue.is_done("a", 1));
  queue.succeeded();
  EXPECT_TRUE(queue.is_done("a", 1));
  EXPECT_FALSE(queue.is_done("a", 2)) << "3 stands for it";
  EXPECT_EQ(text(queue.take(now, true)), "a3 b4 ");
  queue.add(put(5, "a"), now);
  queue.succeeded();
  EXPECT_TRUE(queue.is_done("a", 2) && queue.is_done("a", 3));
  EXPECT_FALSE(queue.is_done("a", 5));
}

TEST_F(WriteQueue, ANewOperationTakesThePlaceOfTheOneThatFailed) {
  queue.add(put(1, "a"), now);
  queue.add(put(2, "b"), now);
  (void)queue.take(now, true);
  queue.add(removal(3, "a"), now);
  EXPECT_EQ(queue.failed(now, false), nullptr);
  EXPECT_EQ(queue.pending("a")->sequence, 3U);
  EXPECT_EQ(queue.size(), 2U);
}

TEST_F(WriteQueue, WhatWasReplacedIsDoneWhenTheSourceHasWhatReplacedIt) {
  queue.add(put(1, "a"), now);
  for (std::uint64_t next = 2; next != 5; ++next) {
    ASSERT_FALSE(queue.take(now + std::chrono::minutes{next}, true).empty());
    queue.add(put(next, "a"), now + 5s);
    ASSERT_EQ(queue.failed(now, false), nullptr) << "by itself, and replaced while it ran";
    EXPECT_EQ(queue.window().settled_through(), 0U);
    EXPECT_EQ(queue.window().unsettled(1), 1U);
    EXPECT_EQ(queue.window().oldest(), now) << "nothing of the key was ever applied";
    EXPECT_FALSE(queue.is_done("a", 1));
    EXPECT_EQ(queue.size(), 1U);
    EXPECT_EQ(queue.coalesced(), next - 1);
  }
  EXPECT_EQ(text(queue.take(now + 1h, true)), "a4 ");
  queue.succeeded();
  EXPECT_EQ(queue.window().settled_through(), 4U);
  EXPECT_TRUE(queue.is_done("a", 1));
}

// The source takes everything but `poison`; how long until it is buried, and the others are through?
TEST_F(WriteQueue, FindsTheOperationThatTheSourceRefuses) {
  for (std::uint64_t i = 1; i != 9; ++i) queue.add(put(i, std::string(1, static_cast<char>('a' + i))), now);
  const std::string poison = "d";
  std::string log;
  for (int step = 0; queue.size() != 0; ++step) {
    ASSERT_LT(step, 100) << log;
    now = std::max(now + 1ms, queue.next_due(true));
    const auto batch = queue.take(now, true);
    const bool fails = std::ranges::any_of(batch, [&](const auto& each) { return each->key == poison; });
    log += text(batch) + (fails ? "! " : "");
    if (!fails) {
      queue.succeeded();
    } else if (const auto dead = queue.failed(now, false)) {
      EXPECT_EQ(dead->key, poison);
      queue.bury(dead);
    }
    if (queue.size() == 1) queue.add(put(100 + static_cast<std::uint64_t>(step), "new"), now);
    if (queue.pending(poison) == nullptr) break;
  }
  EXPECT_THAT(log, testing::StartsWith("b1 c2 d3 e4 ! b1 c2 d3 e4 f5 g6 ! "));
  EXPECT_EQ(queue.pending(poison), nullptr);
  EXPECT_GE(queue.window().settled_through(), 8U);
}

TEST_F(WriteQueue, BlamesNobodyWhileTheSourceIsDown) {
  for (std::uint64_t i = 1; i != 4; ++i) queue.add(put(i, fmt::format("k{}", i)), now);
  duration last{};
  for (int step = 0; step != 200; ++step) {
    const time_point due = queue.next_due(true);
    last = due - now;
    now = due;
    ASSERT_FALSE(queue.take(now, true).empty());
    ASSERT_EQ(queue.failed(now, false), nullptr);
  }
  EXPECT_GE(last, 500ms) << "the pauses grow";
  EXPECT_LE(last, 1s) << "up to the longest";
  now += 2s;
  for (int step = 0; step != 3; ++step) {
    (void)queue.take(now, true);
    queue.succeeded();
  }
  EXPECT_EQ(queue.size(), 0U);
}

TEST_F(WriteQueue, BuriesAtOnceWhatWillNeverSucceed) {
  queue.add(put(1, "a"), now);
  (void)queue.take(now, true);
  const auto dead = queue.failed(now, true);
  ASSERT_NE(dead, nullptr);
  EXPECT_EQ(queue.pending("a"), dead) << "until it is kept elsewhere";
  queue.keep(dead, now);
  now += 1s;
  EXPECT_EQ(text(queue.take(now, true)), "a1 ");
  queue.add(put(2, "a"), now);
  EXPECT_EQ(queue.failed(now, true), nullptr) << "a later one has replaced it";
  now += 1s;
  EXPECT_EQ(text(queue.take(now, true)), "a2 ");
}

TEST_F(WriteQueue, WhatCameDuringABurialInVainReplacesWhatFailed) {
  queue.add(put(1, "a"), now);
  (void)queue.take(now, true);
  const auto dead = queue.failed(now, true);
  ASSERT_NE(dead, nullptr);
  queue.add(put(2, "a"), now);
  queue.keep(dead, now);
  now += 1s;
  EXPECT_EQ(text(queue.take(now, true)), "a2 ");
  queue.succeeded();
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_EQ(queue.window().settled_through(), 2U);
}

TEST_F(WriteQueue, WhatFailedByItselfGoesBehindTheOthers) {
  queue.add(put(1, "a"), now);
  (void)queue.take(now, true);
  queue.add(put(2, "b"), now);
  ASSERT_EQ(queue.failed(now, false), nullptr);
  now += 1s;
  EXPECT_EQ(text(queue.take(now, true)), "b2 ");
}

// A source that may have applied what it says it has not, and the list of all operations.
struct model {
  write_queue queue;
  std::map<std::string, std::uint64_t> source;   // the last operation applied
  std::map<std::string, std::uint64_t> last;     // the last operation added
  std::map<std::string, std::set<std::uint64_t>> owed = {};  // neither they nor later ones were said to be applied
  std::set<std::uint64_t> buried;

  void apply(const operation_ptr& operation) {
    std::uint64_t& at = source[operation->key];
    RC_ASSERT(operation->sequence >= at);
    at = operation->sequence;
  }
  void settle(const operation_ptr& operation) {
    auto& open = owed[operation->key];
    open.erase(open.begin(), open.upper_bound(operation->sequence));
  }
  void check() const {
    std::size_t size = 0;
    for (const auto& [key, open] : owed) {
      if (open.empty()) continue;
      RC_ASSERT(queue.window().settled_through() < *open.begin());
      RC_ASSERT(queue.window().unsettled(*open.begin()) != 0U);
      RC_ASSERT(!queue.is_done(key, *open.begin()));
    }
    for (const auto& [key, sequence] : last) {
      const auto pending = queue.pending(key);
      if (pending) {
        RC_ASSERT(pending->sequence == sequence);
        ++size;
        RC_ASSERT(queue.window().settled_through() < sequence);
      } else {
        const auto applied = source.find(key);
        RC_ASSERT(buried.contains(sequence) || (applied != source.end() && applied->second == sequence));
      }
    }
    RC_ASSERT(queue.size() >= size);
    RC_ASSERT((queue.size() == 0) == (size == 0));
    RC_ASSERT((queue.bytes() == 0) == (size == 0));
  }
};

RC_GTEST_PROP(WriteQueueModel, AppliesEveryKeysLastOperationInOrder, (std::uint64_t seed)) {
  random_source random{seed};
  const auto below = [&](std::uint64_t limit) { return random.next() % limit; };
  model m{.queue = write_queue({.most = 1 + below(6), .most_bytes = 60, .linger = 5ms},
                               {.first = 1ms, .longest = 50ms, .attempts = 2}, 0, seed),
          .source = {}, .last = {}, .buried = {}};
  time_point now = time_point{} + 1h;
  std::uint64_t sequence = 0;
  std::vector<operation_ptr> batch;
  for (int step = 0; step < 400; ++step) {
    const bool ending = step > 200;
    now += std::chrono::milliseconds{below(ending ? 60 : 4)};
    if (!ending && below(2) == 0) {
      const std::string key = fmt::format("k{}", below(8));
      m.queue.add(below(4) == 0 ? removal(++sequence, key) : put(++sequence, key, std::string(below(30), 'x')), now);
      m.last[key] = sequence;
      m.owed[key].insert(sequence);
    }
    if (batch.empty()) {
      batch = m.queue.take(now, ending);
      std::set<std::string> keys;
      for (const auto& each : batch) RC_ASSERT(keys.insert(each->key).second);
    } else if (ending || below(3) != 0) {
      for (const auto& each : batch) {
        m.apply(each);
        m.settle(each);
      }
      m.queue.succeeded();
      batch.clear();
    } else {
      for (const auto& each : batch) {
        if (below(2) == 0) m.apply(each);
      }
      batch.clear();
      if (const auto dead = m.queue.failed(now, below(8) == 0)) {
        if (below(2) == 0) {
          m.queue.bury(dead);
          m.settle(dead);
          m.buried.insert(dead->sequence);
        } else {
          m.queue.keep(dead, now);
        }
      }
    }
    m.check();
  }
  RC_ASSERT(m.queue.size() == 0U);
  RC_ASSERT(m.queue.window().settled_through() == sequence);
}

}  // namespace
}  // namespace seawall::source
