#include "cluster_keys.hpp"

#include "seawall/cmd/table.hpp"
#include "seawall/resp/command_bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seawall::redis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class command final : public cmd::request {
 public:
  explicit command(const std::vector<std::string_view>& words)
      : encoded_(std::span<const std::string_view>{words}) {
    bytes = encoded_.bytes();
    traits = cmd::traits_of_arguments(words);
  }
  void on_reply(std::size_t, resp::view) noexcept override {}
  void on_end(const error*) noexcept override {}

 private:
  resp::command_bytes encoded_;
};

std::vector<std::uint32_t> places(const std::vector<std::string_view>& words) { return key_places(command{words}); }

TEST(cluster_keys, are_where_the_table_says) {
  EXPECT_THAT(places({"GET", "a"}), ElementsAre(1));
  EXPECT_THAT(places({"MGET", "a", "b", "c"}), ElementsAre(1, 2, 3));
  EXPECT_THAT(places({"MSET", "a", "1", "b", "2"}), ElementsAre(1, 3));
  EXPECT_THAT(places({"BLPOP", "a", "b", "0"}), ElementsAre(1, 2));
  EXPECT_THAT(places({"RENAME", "a", "b"}), ElementsAre(1, 2));
  EXPECT_THAT(places({"BITOP", "AND", "a", "b", "c"}), ElementsAre(2, 3, 4));
  EXPECT_THAT(places({"EVAL", "return 1", "2", "a", "b", "argument"}), ElementsAre(3, 4));
  EXPECT_THAT(places({"EVALSHA", "return 1", "0", "argument"}), IsEmpty());
  EXPECT_THAT(places({"ZUNIONSTORE", "a", "2", "b", "c", "WEIGHTS", "1", "1"}), ElementsAre(1, 3, 4));
  EXPECT_THAT(places({"OBJECT", "ENCODING", "a"}), ElementsAre(2));
  EXPECT_THAT(places({"PING"}), IsEmpty());
}

TEST(cluster_keys, a_command_with_too_few_arguments_has_the_keys_that_are_there) {
  EXPECT_THAT(places({"GET"}), IsEmpty());
  EXPECT_THAT(places({"RENAME", "a"}), ElementsAre(1));
  EXPECT_THAT(places({"EVAL", "return 1", "9", "a"}), ElementsAre(3));
  EXPECT_THAT(places({"EVAL", "return 1", "-1", "a"}), IsEmpty());
  EXPECT_THAT(places({"EVAL", "return 1", "9223372036854775807", "a"}), ElementsAre(3));
  EXPECT_THAT(places({"EVAL", "return 1", "many", "a"}), IsEmpty());
  EXPECT_EQ(slots_of(command{{"GET"}}).what, key_slots::kind::none);
}

TEST(cluster_keys, lie_in_one_slot_or_in_several) {
  EXPECT_EQ(slots_of(command{{"PING"}}).what, key_slots::kind::none);
  const auto one = slots_of(command{{"GET", "foo"}});
  EXPECT_EQ(one.what, key_slots::kind::one);
  EXPECT_EQ(one.slot, 12182);
  const command tagged{{"MSET", "{foo}a", "1", "{foo}b", "bar"}};
  EXPECT_EQ(slots_of(tagged).what, key_slots::kind::one);
  EXPECT_EQ(slots_of(tagged).slot, 12182);
  const command spread{{"RENAME", "foo", "bar"}};
  const auto several = slots_of(spread);
  EXPECT_EQ(several.what, key_slots::kind::several);
  EXPECT_EQ(several.first_key, "foo");
  EXPECT_EQ(several.other_key, "bar");
}

TEST(cluster_keys, a_transaction_goes_by_its_first_command_with_a_key) {
  const std::string multi = "*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nPING\r\n";
  command get{{"GET", "foo"}};
  const std::string all = multi + std::string{get.bytes} + "*1\r\n$4\r\nEXEC\r\n";
  get.bytes = all;
  get.keyed_at = static_cast<std::uint32_t>(multi.size());
  get.replies = 4;
  EXPECT_EQ(slots_of(get).slot, 12182);
}

}  // namespace
}  // namespace seawall::redis
