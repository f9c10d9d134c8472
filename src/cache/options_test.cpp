#include "seawall/cache/options.hpp"

#include "test_tier.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using options = cache_options<int, std::string>;

std::string verdict(const options& given) {
  const auto valid = validate(given);
  if (valid) return "fine";
  return valid.error() == errc::invalid_argument ? valid.error().message() : "another code";
}

key_classes<int> classes(std::size_t names, bool with_function = true) {
  key_classes<int> made{.names = std::vector<std::string>(names), .of = {}};
  for (std::size_t i = 0; i != names; ++i) made.names[i] = "c" + std::to_string(i);
  if (with_function) made.of = [](int) { return std::size_t{0}; };
  return made;
}

TEST(Options, WhatIsInRangeIsFine) {
  const options cases[] = {
      {},
      {.name = std::string(100, 'n')},
      {.capacity = 1},
      {.capacity = std::size_t{1} << 32},
      {.ttl = forever, .deadline = forever, .load_deadline = forever},
      {.deadline = 1ns, .load_deadline = 1ns},
      {.backoff = {.initial = 0s, .max = 0s}},
      {.backoff = {.initial = 5s, .max = 5s}},
      {.max_concurrent_loads = 1},
      {.max_concurrent_loads = 65'536},
      {.loader = [](int) { return std::string(); },
       .keep_fresh = {.stop_after = 1ns, .every = forever, .most_keys = 1 << 24, .concurrent = 65'536}},
      {.stale_for = 1s, .stale_if_error = 1s, .shared_format = shared_format::plain},  // there is no tier
      {.shared_version = std::string(100, 'v'), .also_invalidates = {"", "1", "2", "3", "4", "5", "6", "7"}},
      {.key_classes = classes(63)},
  };
  for (const auto& one : cases) EXPECT_EQ(verdict(one), "fine");
}

TEST(Options, WhatIsNotNamesTheCacheTheFieldAndTheRange) {
  const auto tier = std::make_shared<test_tier>(std::make_shared<manual_clock>());
  const struct {
    options given;
    std::string message;
  } cases[] = {
      {{.name = ""}, "cache '': name must be 1 to 100 characters long"},
      {{.capacity = 0}, "cache 'cache': capacity must be 1 to 2^32 entries"},
      {{.capacity = (std::size_t{1} << 32) + 1}, "cache 'cache': capacity must be 1 to 2^32 entries"},
      {{.deadline = 0s}, "cache 'cache': deadline must be positive (`seawall::forever` for no limit)"},
      {{.deadline = -1s}, "cache 'cache': deadline must be positive (`seawall::forever` for no limit)"},
      {{.keep_fresh = {.stop_after = -1s}}, "cache 'cache': keep_fresh.stop_after must be zero (off) or positive"},
      {{.keep_fresh = {.every = -1s}}, "cache 'cache': keep_fresh.every must be zero (by the TTL) or positive"},
      {{.keep_fresh = {.most_keys = 0}}, "cache 'cache': keep_fresh.most_keys must be 1 to 2^24"},
      {{.keep_fresh = {.most_keys = (1 << 24) + 1}}, "cache 'cache': keep_fresh.most_keys must be 1 to 2^24"},
      {{.keep_fresh = {.concurrent = 0}}, "cache 'cache': keep_fresh.concurrent must be 1 to 65536"},
      {{.keep_fresh = {.concurrent = 65'537}}, "cache 'cache': keep_fresh.concurrent must be 1 to 65536"},
      {{.keep_fresh = {.stop_after = 1s}}, "cache 'cache': loader must be given where keep_fresh is"},
      {{.sliding = 1s, .loader = [](int) { return std::string(); }, .keep_fresh = {.stop_after = 1s}},
       "cache 'cache': sliding must be zero where keys are kept fresh"},
      {{.load_deadline = 0s}, "cache 'cache': load_deadline must be positive (`seawall::forever` for no limit)"},
      {{.backoff = {.initial = -1s}}, "cache 'cache': backoff.initial must be zero (off) or positive"},
      {{.backoff = {.initial = 6s}}, "cache 'cache': backoff.max must be no shorter than backoff.initial"},
      {{.max_concurrent_loads = 0}, "cache 'cache': max_concurrent_loads must be 1 to 65536"},
      {{.max_concurrent_loads = 65'537}, "cache 'cache': max_concurrent_loads must be 1 to 65536"},
      {{.shared_version = "1:2"},
       "cache 'cache': shared_version must be at most 100 characters, none of them :, { or }"},
      {{.shared_version = std::string(101, 'v')},
       "cache 'cache': shared_version must be at most 100 characters, none of them :, { or }"},
      {{.also_invalidates = {"{1}"}},
       "cache 'cache': also_invalidates must be at most 8 versions, each as `shared_version`"},
      {{.also_invalidates = std::vector<std::string>(9)},
       "cache 'cache': also_invalidates must be at most 8 versions, each as `shared_version`"},
      {{.stale_for = 1s, .shared = tier, .shared_format = shared_format::plain},
       "cache 'cache': stale_for must be zero where shared_format is plain"},
      {{.stale_if_error = 1s, .shared = tier, .shared_format = shared_format::plain},
       "cache 'cache': stale_if_error must be zero where shared_format is plain"},
      {{.key_classes = classes(64)},
       "cache 'cache': key_classes.names must be at most 63 different names, none of them empty or 'other'"},
      {{.key_classes = classes(2, false)},
       "cache 'cache': key_classes must be given with both `names` and `of`, or with neither"},
      {{.key_classes = classes(0)},
       "cache 'cache': key_classes must be given with both `names` and `of`, or with neither"},
      {{.name = "users", .ttl = 0s}, "cache 'users': ttl must be positive (`seawall::forever` for no limit)"},
      {{.name = "users", .jitter = 2}, "cache 'users': jitter must be between 0 and 1, a share of the ttl"},
  };
  for (const auto& one : cases) EXPECT_EQ(verdict(one.given), one.message);
}

TEST(Options, NamesOfKeyClassesAreCheckedWithTheRest) {
  for (const char* bad : {"", "other", "twice"}) {
    options given{.name = "users"};
    given.key_classes = {.names = {"twice", bad}, .of = [](int) { return std::size_t{0}; }};
    EXPECT_EQ(verdict(given).substr(0, 32), "cache 'users': key_classes.names") << bad;
  }
}

TEST(Options, APolicyTakesEachField) {
  const entry_policy policy = options{.ttl = 1s, .jitter = 0.2, .sliding = 2s, .negative_ttl = 3s, .stale_for = 4s,
                                      .stale_if_error = 5s, .refresh_ahead = 0.3, .xfetch_beta = 6, .no_store = true}
                                  .policy();
  EXPECT_EQ(policy.ttl, 1s);
  EXPECT_EQ(policy.jitter, 0.2);
  EXPECT_EQ(policy.sliding, 2s);
  EXPECT_EQ(policy.negative_ttl, 3s);
  EXPECT_EQ(policy.stale_for, 4s);
  EXPECT_EQ(policy.stale_if_error, 5s);
  EXPECT_EQ(policy.refresh_ahead, 0.3);
  EXPECT_EQ(policy.xfetch_beta, 6);
  EXPECT_TRUE(policy.no_store);
}

}  // namespace
}  // namespace seawall
