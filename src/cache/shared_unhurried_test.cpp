// A fill that nobody waits for is not hurried; whoever comes to wait for it hurries it.
#include "test_shared.hpp"

namespace seawall::shared_test {
namespace {

TEST_F(Shared, AFillThatNobodyWaitsForIsUnhurried) {
  store(here, 1, "a");
  EXPECT_EQ(tier->unhurried, 1);
  EXPECT_EQ(tier->hurries, 0);
}

TEST_F(Shared, AFillThatSomebodyWaitsForIsNot) {
  caller leads = ask(here, 1);
  caller waits = ask(here, 1);
  load(leads, "a");
  wake(waits);
  EXPECT_EQ(text(waits), "a");
  EXPECT_EQ(tier->unhurried, 0);
}

TEST_F(Shared, WhoJoinsAFillUnderWayHurriesIt) {
  caller leads = ask(here, 1);
  tier->automatic = false;
  load(leads, "a");
  ASSERT_EQ(text(leads), "a");
  EXPECT_EQ(tier->unhurried, 1);
  ASSERT_EQ(tier->hurries, 0);
  caller waits = ask(here, 1);
  EXPECT_EQ(tier->hurries, 1);
  tier->run_all();
  wake(waits);
  EXPECT_EQ(text(waits), "a");
}

TEST_F(Shared, AFillThatAFreshReadWaitsForIsNot) {
  caller one = ask(here, 1, {.fresh = true});
  load(one, "a");
  EXPECT_EQ(tier->unhurried, 0);
}

}  // namespace
}  // namespace seawall::shared_test
