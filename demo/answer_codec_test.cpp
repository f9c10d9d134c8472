#include "answer_codec.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace seawall::demo {
namespace {

std::string written(const request_key& key) {
  std::string out;
  codec<request_key>::encode(key, out);
  return out;
}

TEST(answer_codec, keys_are_readable_and_read_back) {
  const std::pair<request_key, const char*> rows[] = {
      {{request_kind::product_page, 0, 42}, "product:42"}, {{request_kind::user, 0, 7}, "user:7"},
      {{request_kind::order, 0, 4'294'967'295}, "order:4294967295"}, {{request_kind::order_list, 0, 7}, "orders:7:0"},
      {{request_kind::order_list, 2, 7}, "orders:7:2"}, {{request_kind::dashboard, 0, 1}, "dashboard:1"}};
  for (const auto& [key, text] : rows) {
    EXPECT_EQ(written(key), text);
    const auto read = codec<request_key>::decode(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, key) << text;
  }
}

TEST(answer_codec, other_keys_are_refused) {
  for (const char* text : {"", "user", "user:", "user:x", "user:7:1", "user:7:", "orders:7", "orders:7:300", "use:7",
                           "user:4294967296", "user:-1", ":7"}) {
    EXPECT_FALSE(codec<request_key>::decode(text)) << text;
  }
}

TEST(answer_codec, answers_read_back) {
  const answer a{{request_kind::order_list, 2, 7}, 3, 123'456'789'012, "{\"a\": 1}"};
  std::string scratch;
  const auto read = codec<answer>::decode(seawall::encode(a, scratch));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key, a.key);
  EXPECT_EQ(read->version, a.version);
  EXPECT_EQ(read->made_at, a.made_at);
  EXPECT_EQ(read->body, a.body);
  EXPECT_FALSE(codec<answer>::decode("nonsense"));
}

}  // namespace
}  // namespace seawall::demo
