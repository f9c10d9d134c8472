#include "world.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace simulation {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// SEAWALL_SEEDS and SEAWALL_FIRST_SEED choose the seeds; one seed is one run, the same on every machine.
TEST(FlightSimulation, EveryPromiseHoldsUnderEverySeed) {
  const std::uint64_t seeds = from_environment("SEAWALL_SEEDS", 20'000);
  const std::uint64_t first = from_environment("SEAWALL_FIRST_SEED", 1);
  coverage seen;
  for (std::uint64_t seed = first; seed != first + seeds; ++seed) {
    world one{seed};
    const auto broken = one.run(300);
    ASSERT_FALSE(broken) << "seed " << seed << ": " << *broken << "\nRun it alone: SEAWALL_FIRST_SEED=" << seed
                         << " SEAWALL_SEEDS=1";
    one.add_coverage(seen);
  }
  if (seeds < 1'000) return;
  for (const auto& counter : seawall::counter_table) {
    if (counter.id == seawall::cache_counter::store_failures) continue;  // needs a failing allocator
    if (counter.id == seawall::cache_counter::shared_hits) continue;     // there is no shared tier here
    EXPECT_GT(seen[std::string(counter.name)], 0u) << "no seed ever made the cache count " << counter.name;
  }
}

TEST(FlightSimulation, OneSeedIsOneRun) {
  coverage first;
  coverage second;
  for (std::uint64_t seed = 1; seed != 50; ++seed) {
    world a{seed};
    world b{seed};
    EXPECT_EQ(a.run(200), b.run(200));
    a.add_coverage(first);
    b.add_coverage(second);
  }
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace simulation
