#include "seawall/eviction/policy_name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace seawall {
namespace {

TEST(PolicyName, EveryNameIsParsed) {
  for (auto which = eviction_policy::adaptive; which <= eviction_policy::noeviction;
       which = static_cast<eviction_policy>(static_cast<int>(which) + 1)) {
    EXPECT_EQ(parse_eviction_policy(to_string(which)).value(), which);
  }
  EXPECT_EQ(to_string(eviction_policy::s3_fifo), "s3-fifo");
  EXPECT_EQ(to_string(static_cast<eviction_policy>(99)), "unknown");
}

TEST(PolicyName, RedisNamesAreKnown) {
  EXPECT_EQ(parse_eviction_policy("allkeys-lru").value(), eviction_policy::lru);
  EXPECT_EQ(parse_eviction_policy("allkeys-lfu").value(), eviction_policy::lfu);
  EXPECT_EQ(parse_eviction_policy("allkeys-random").value(), eviction_policy::random);
  EXPECT_FALSE(parse_eviction_policy("allkeys-sieve").has_value());
}

TEST(PolicyName, AnErrorNamesThePolicies) {
  const auto wrong = parse_eviction_policy("mru");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error(), errc::invalid_argument);
  EXPECT_THAT(wrong.error().message(), ::testing::HasSubstr("there are adaptive, lru, lfu,"));
}

}  // namespace
}  // namespace seawall
