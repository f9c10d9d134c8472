#include "ghost_list.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace seawall::eviction {
namespace {

TEST(GhostList, ForgetsTheOldestFirst) {
  ghost_list ghosts;
  for (std::uint32_t hash = 0; hash != 100; ++hash) ghosts.push(hash);
  ghosts.trim(10);
  EXPECT_EQ(ghosts.size(), 10U);
  EXPECT_FALSE(ghosts.take(89));
  EXPECT_TRUE(ghosts.take(90));
  EXPECT_FALSE(ghosts.take(90));
  ghosts.clear();
  EXPECT_FALSE(ghosts.take(91));
}

RC_GTEST_PROP(GhostList, BehavesAsAVector, (const std::vector<std::uint8_t>& moves)) {
  ghost_list ghosts;
  std::vector<std::uint32_t> model;
  for (const std::uint8_t move : moves) {
    const std::uint32_t hash = move / 4;
    const auto found = std::ranges::find(model, hash);
    if (found != model.end() && move % 4 < 2) {
      model.erase(found);
      RC_ASSERT(ghosts.take(hash));
    } else if (found == model.end()) {
      RC_ASSERT(!ghosts.take(hash));
      ghosts.push(hash);
      model.push_back(hash);
    } else {
      ghosts.trim(model.size() / 2);
      model.erase(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(model.size() - model.size() / 2));
    }
    RC_ASSERT(ghosts.size() == model.size());
  }
}

}  // namespace
}  // namespace seawall::eviction
