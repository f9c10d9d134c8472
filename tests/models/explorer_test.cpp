// The explorer must see every state, find the shortest way, and say when it gave up.
#include "explorer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seawall::models {
namespace {

/// Two counters below `top`, each of which can be raised; a jump leads from (0, 0) far away. Counters that meet at
/// `bad` break a promise.
struct counters {
  struct state {
    std::uint8_t a = 0;
    std::uint8_t b = 0;
  };
  std::uint8_t top = 5;
  std::uint8_t bad = 255;
  bool jump = false;

  state first() const { return {}; }

  template <typename Out>
  void steps(const state& now, Out& out) const {
    for (std::uint8_t i = 0; i != 2; ++i) {
      state next = now;
      std::uint8_t& raised = i == 0 ? next.a : next.b;
      if (++raised < top) out.step(next, "{} becomes {}", i == 0 ? 'a' : 'b', raised);
    }
    if (jump && now.a == 0 && now.b == 0) out.step({3, 3}, "jump");
    if (now.a == bad && now.b == bad) out.breaks(promise::perm, "both are {}", now.a);
  }
};

TEST(Explorer, SeesEveryStateOnce) {
  const outcome found = explore(counters{.top = 100});
  EXPECT_EQ(found.states, 100U * 100U);
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.broken, promises());
}

TEST(Explorer, FindsAShortestWay) {
  const outcome slow = explore(counters{.bad = 1});
  EXPECT_EQ(slow.broken, promises(promise::perm));
  EXPECT_EQ(slow.traces[3], (std::vector<std::string>{"a becomes 1", "b becomes 1", "both are 1"}));

  const outcome fast = explore(counters{.bad = 4, .jump = true});
  EXPECT_EQ(fast.traces[3], (std::vector<std::string>{"jump", "a becomes 4", "b becomes 4", "both are 4"}));
  EXPECT_EQ(fast.states, 25U) << "it goes on after a violation";
}

TEST(Explorer, SaysWhereItGaveUp) {
  const outcome found = explore(counters{.top = 100}, 50);
  EXPECT_FALSE(found.complete);
  EXPECT_THAT(to_string(found), ::testing::HasSubstr("cut off"));
}

TEST(Explorer, SetsOfPromises) {
  EXPECT_TRUE((promise::lin | promise::perm).has(promise::perm));
  EXPECT_FALSE((promise::lin | promise::perm).has(promise::reg));
  EXPECT_FALSE(promises() == promises(promise::lin));
}

}  // namespace
}  // namespace seawall::models
