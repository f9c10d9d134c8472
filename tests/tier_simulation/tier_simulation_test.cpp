#include "report.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t usual_seeds = 100;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr std::uint64_t usual_seeds = 100;
#else
constexpr std::uint64_t usual_seeds = 2'000;
#endif
#else
constexpr std::uint64_t usual_seeds = 2'000;
#endif

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// SEAWALL_TIER_SEEDS and SEAWALL_FIRST_SEED choose the seeds; one seed is one run, the same on every machine.
TEST(TierSimulation, EveryPromiseHoldsUnderEverySeed) {
  const std::uint64_t seeds = from_environment("SEAWALL_TIER_SEEDS", usual_seeds);
  const std::uint64_t first = from_environment("SEAWALL_FIRST_SEED", 1);
  const std::size_t steps = from_environment("SEAWALL_STEPS", 5'000);
  coverage seen;
  for (std::uint64_t seed = first; seed != first + seeds; ++seed) {
    world one{seed};
    const auto broken = one.run(steps);
    ASSERT_FALSE(broken) << story_of(seed, steps);
    one.add_coverage(seen);
  }
  if (seeds < 1'000) return;
  for (const std::string_view name : never_seen(seen)) ADD_FAILURE() << "no seed ever saw: " << name;
}

TEST(TierSimulation, OneSeedIsOneRun) {
  coverage first;
  coverage second;
  for (std::uint64_t seed = 1; seed != 10; ++seed) {
    world a{seed};
    world b{seed, true};
    EXPECT_EQ(a.run(2'000), b.run(2'000));
    a.add_coverage(first);
    b.add_coverage(second);
  }
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace simulation
