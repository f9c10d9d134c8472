// The times that an entry says: until when it is fresh, how old it is, how long its load took.
#include "entry_format.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace seawall::tier {
namespace {

using namespace std::chrono_literals;

constexpr tier_nonce writer{.high = 1, .low = 2};
constexpr std::int64_t noon_ms = 1'700'000'000'000;
constexpr std::size_t no_limit = std::size_t{1} << 30;

std::string at_noon(const tier_entry& entry) { return encode_entry(entry, writer, 1, noon_ms, {}); }

TEST(entry_times, freshness_survives_or_is_cut_to_what_fits) {
  constexpr std::int64_t end_of_time = std::numeric_limits<std::int64_t>::max();
  constexpr duration most = std::chrono::floor<std::chrono::milliseconds>(forever);
  const struct {
    duration fresh_for;
    std::int64_t written_ms;
    std::int64_t read_ms;
    duration then;
  } cases[] = {
      {1h, noon_ms, noon_ms, 1h},
      {1h, noon_ms, noon_ms + 1000, 1h - 1s},
      {1h, noon_ms + 5, noon_ms, 1h + 5ms},
      {1s, noon_ms, noon_ms + 3000, -2s},
      {-10s, noon_ms, noon_ms, -10s},
      {0s, noon_ms, noon_ms, 0s},
      {1ms - 1ns, noon_ms, noon_ms, 0ms},  // never longer than was said
      {-1ns, noon_ms, noon_ms, -1ms},
      {forever, noon_ms, noon_ms, forever},
      {1h, (1LL << 47) - 10, (1LL << 47) - 10, 8ms},  // the last moment that is not for ever
      {forever, 0, end_of_time, forever},
      {forever - 1ns, 0, 0, most},
      {duration::min(), noon_ms, noon_ms, -most},
      {1h, end_of_time, noon_ms, forever},
      {1h, noon_ms, end_of_time, -most},
      {1h, noon_ms, -end_of_time - 1, forever},
      {-1h, -end_of_time - 1, noon_ms, -most},
  };
  for (const auto& [fresh_for, written_ms, read_ms, then] : cases) {
    const std::string bytes = encode_entry({.fresh_for = fresh_for}, writer, 1, written_ms, {});
    const auto entry = decode_entry(bytes, read_ms, no_limit);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->fresh_for, then) << fresh_for.count() << " at " << written_ms;
  }
  EXPECT_EQ(decode_header(at_noon({.fresh_for = forever}))->fresh_until_ms, fresh_for_ever);
  EXPECT_EQ(decode_header(at_noon({.fresh_for = 2s}))->fresh_until_ms, noon_ms + 2000);
}

TEST(entry_times, the_age_grows_by_the_servers_clock) {
  constexpr std::int64_t end_of_time = std::numeric_limits<std::int64_t>::max();
  constexpr duration century = std::chrono::days{36'525};
  const struct {
    duration age;
    std::int64_t written_ms;
    std::int64_t read_ms;
    duration then;
  } cases[] = {
      {0s, noon_ms, noon_ms, 0s},
      {0s, noon_ms, noon_ms + 3000, 3s},
      {2s, noon_ms, noon_ms + 3000, 5s},
      {1ms - 1ns, noon_ms, noon_ms + 1, 1ms},
      {2s, noon_ms, noon_ms - 3000, 0s},  // a clock that went back
      {-2s, noon_ms, noon_ms, 0s},
      {0s, noon_ms, end_of_time, century},
      {forever, noon_ms, noon_ms, century},
      {0s, end_of_time, noon_ms, 0s},
      {0s, -end_of_time - 1, end_of_time, century},
  };
  for (const auto& [age, written_ms, read_ms, then] : cases) {
    const std::string bytes = encode_entry({.age = age, .payload = "p"}, writer, 1, written_ms, {});
    const auto entry = decode_entry(bytes, read_ms, no_limit);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->age, then) << age.count() << " at " << written_ms << ", read at " << read_ms;
    EXPECT_EQ(entry->payload, "p");
  }
}

TEST(entry_times, the_time_of_the_load_is_cut_to_what_fits) {
  for (const auto& [took, then] : std::vector<std::pair<duration, duration>>{
           {0s, 0s}, {-1s, 0s}, {999ns, 0s}, {1500ns, 1us}, {1h, 1h}, {2h, 4294967295us}, {forever, 4294967295us}}) {
    EXPECT_EQ(decode_entry(at_noon({.load_time = took}), noon_ms, 0)->load_time, then) << took.count();
  }
}

}  // namespace
}  // namespace seawall::tier
