// Guards that no promise of a cache needs, so that no simulation notices them: who loads, and what is asked for.
#include "test_remote.hpp"

namespace seawall::tier {
namespace {

using guards_test = remote_tier_test;

TEST_F(guards_test, the_lease_of_another_is_held) {
  read();  // learns the reign
  stored = encode_lease({.high = 9, .low = 9}, reign_number('A'), 0);
  EXPECT_EQ(read()->is, outcome::held);
}

TEST_F(guards_test, an_invalidation_that_waits_wakes_the_heartbeat_of_an_idle_tier) {
  make({.idle = 1s});
  read();
  server.hold = true;
  auto what = std::make_shared<noted<tier_invalidation>>();
  what->keys = {"k"};
  tier->invalidate(what);
  clock->advance(1h);
  server.fail_all(error{errc::timed_out});  // the last beat, and the invalidation: nothing is armed any more
  server.hold = false;
  EXPECT_EQ(tier->stats().undelivered, 1);
  clock->advance(1s);
  EXPECT_EQ(tier->stats().undelivered, 0);
}

TEST_F(guards_test, a_change_is_told_without_the_prefix) {
  class told_cache final : public tier_listener {
   public:
    void on_changed(std::string_view key) noexcept override { keys.emplace_back(key); }
    void on_all_changed() noexcept override {}
    std::vector<std::string> keys;
  };
  const auto cache = std::make_shared<told_cache>();
  tier->attach("c:", cache);
  tier->feed()->on_invalidate(1, "c:7");
  EXPECT_THAT(cache->keys, ElementsAre("7"));
}

}  // namespace
}  // namespace seawall::tier
