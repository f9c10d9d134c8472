#include "seawall/base/family.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace {

using seawall::family;
using seawall::random_source;

TEST(family_test, retire_moves_to_a_generation_never_seen) {
  family catalog{"catalog"};
  std::set<std::uint64_t> seen{catalog.generation()};
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t fresh = catalog.retire();
    ASSERT_EQ(catalog.generation(), fresh);
    ASSERT_TRUE(seen.insert(fresh).second);
  }
}

TEST(family_test, a_restart_does_not_bring_old_generations_back) {
  const auto first_of_a_new_process = [] { return family("catalog").generation(); };
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(first_of_a_new_process());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(family_test, does_not_count) {
  family a{"catalog"}, b{"catalog"};
  a.adopt(1);
  b.adopt(1);
  EXPECT_NE(a.retire(), b.retire());
}

TEST(family_test, is_repeatable_with_a_seeded_source) {
  const auto run = [](std::uint64_t seed) {
    family catalog("catalog", std::make_shared<random_source>(seed));
    return std::vector{catalog.generation(), catalog.retire(), catalog.retire()};
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(family_test, families_of_one_source_are_apart) {
  const auto source = std::make_shared<random_source>(1);
  family a("a", source), b("b", source);
  EXPECT_NE(a.generation(), b.generation());
}

TEST(family_test, adopts_a_generation) {
  family catalog{"catalog"};
  catalog.adopt(42);
  EXPECT_EQ(catalog.generation(), 42u);
  EXPECT_NE(catalog.retire(), 42u);
}

TEST(family_test, concurrent_retires_never_return_to_a_generation_that_was_read_before) {
  family catalog{"catalog", std::make_shared<random_source>(1)};
  const std::uint64_t start = catalog.generation();
  std::mutex lock;
  std::set<std::uint64_t> retired;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        std::vector<std::uint64_t> mine;
        for (int i = 0; i < 2000; ++i) {
          const std::uint64_t before = catalog.generation();
          mine.push_back(catalog.retire());
          EXPECT_NE(catalog.generation(), before);
        }
        const std::scoped_lock guard(lock);
        retired.insert(mine.begin(), mine.end());
      });
    }
  }
  EXPECT_EQ(retired.size(), 8000u);
  EXPECT_FALSE(retired.contains(start));
  EXPECT_TRUE(retired.contains(catalog.generation()));
}

}  // namespace
