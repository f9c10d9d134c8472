#include "seawall/redis/cluster_slot.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <string>

namespace seawall::redis {
namespace {

static_assert(crc16("123456789") == 0x31c3, "the check value that the specification gives");
static_assert(crc16("") == 0);

TEST(cluster_slot, is_the_checksum_of_the_key_or_of_its_hash_tag) {
  struct row {
    std::string_view key;
    slot_number slot;
  };
  // As CLUSTER KEYSLOT of a server answers.
  for (const row& r : std::initializer_list<row>{
           {"", 0},
           {"123456789", 12739},
           {"foo", 12182},
           {"bar", 5061},
           {"hello", 866},
           {"foo{hash_tag}", 2515},
           {"hash_tag", 2515},
           {"{user1000}.following", 3443},
           {"{user1000}.followers", 3443},
       }) {
    EXPECT_EQ(slot_of(r.key), r.slot) << r.key;
  }
}

TEST(cluster_slot, takes_the_first_tag_that_is_not_empty_and_closed) {
  struct row {
    std::string_view key;
    std::string_view tag;
  };
  for (const row& r : std::initializer_list<row>{
           {"{user1000}.following", "user1000"},
           {"foo{}{bar}", "foo{}{bar}"},
           {"foo{{bar}}zap", "{bar"},
           {"foo{bar}{zap}", "bar"},
           {"foo{bar", "foo{bar"},
           {"foo}bar{", "foo}bar{"},
           {"}{x}", "x"},
           {"{}", "{}"},
           {"", ""},
       }) {
    EXPECT_EQ(hash_tag(r.key), r.tag) << r.key;
  }
}

RC_GTEST_PROP(cluster_slot, keys_with_the_same_tag_share_a_slot,
              (const std::string& before, const std::string& after)) {
  RC_PRE(before.find('{') == std::string::npos);
  RC_ASSERT(slot_of(before + "{tag}" + after) == slot_of("tag"));
}

RC_GTEST_PROP(cluster_slot, the_table_computes_what_the_definition_says, (const std::string& bytes)) {
  unsigned crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned>(static_cast<unsigned char>(c)) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = ((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  RC_ASSERT(crc16(bytes) == crc);
}

}  // namespace
}  // namespace seawall::redis
