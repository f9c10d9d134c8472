#include "checker.hpp"

#include <gtest/gtest.h>

namespace seawall::demo {
namespace {

constexpr request_key user_page{request_kind::user, 0, 7};
constexpr request_key dashboard{request_kind::dashboard, 0, 7};
constexpr row user_row{table::users, 7};

class checking : public testing::Test {
 protected:
  checking() : check_(shop_size::scaled(0.001)) { check_.seed({user_row, 3}); }

  verdict read(const request_key& key, std::uint32_t version) {
    const answer a{key, version, 0, {}};
    return check_.check(key, check_.floor(key), &a);
  }
  void write(std::uint32_t version) {
    check_.starting({user_row, version});
    check_.acknowledged({user_row, version});
  }

  checker check_;
};

TEST_F(checking, the_present_version_is_good) { EXPECT_EQ(read(user_page, 3), verdict::good); }

TEST_F(checking, an_answer_older_than_an_acknowledged_write_is_stale) {
  write(4);
  EXPECT_EQ(read(user_page, 3), verdict::stale);
  EXPECT_EQ(read(user_page, 4), verdict::good);
  ASSERT_EQ(check_.complaints().size(), 1U);
  EXPECT_EQ(check_.complaints()[0], "user 7: stale: got version 3, expected 4 or newer");
}

TEST_F(checking, a_write_to_a_row_counts_for_every_answer_derived_from_it) {
  write(4);
  EXPECT_EQ(read(dashboard, 3), verdict::stale);
  EXPECT_EQ(read({request_kind::order_list, 2, 7}, 3), verdict::stale);
}

TEST_F(checking, a_write_that_is_not_acknowledged_yet_may_or_may_not_be_seen) {
  check_.starting({user_row, 4});
  EXPECT_EQ(read(user_page, 3), verdict::good);
  EXPECT_EQ(read(user_page, 4), verdict::good);
}

TEST_F(checking, answers_to_one_request_never_go_back) {
  check_.starting({user_row, 4});
  EXPECT_EQ(read(user_page, 4), verdict::good);
  EXPECT_EQ(read(user_page, 3), verdict::stale);
  EXPECT_EQ(read(dashboard, 3), verdict::good) << "another request, whose invalidation is still to come";
}

TEST_F(checking, a_read_that_began_before_the_acknowledgement_may_be_older) {
  const std::uint32_t floor = check_.floor(user_page);
  write(4);
  const answer old{user_page, 3, 0, {}};
  EXPECT_EQ(check_.check(user_page, floor, &old), verdict::good);
}

TEST_F(checking, acknowledgements_in_another_order_do_not_lower_the_floor) {
  check_.starting({user_row, 5});
  check_.acknowledged({user_row, 5});
  check_.acknowledged({user_row, 4});
  EXPECT_EQ(check_.floor(user_page), 5U);
}

TEST_F(checking, a_version_that_nobody_wrote_is_impossible) { EXPECT_EQ(read(user_page, 4), verdict::impossible); }

TEST_F(checking, no_answer_and_the_answer_to_another_request_are_wrong) {
  EXPECT_EQ(check_.check(user_page, 3, nullptr), verdict::wrong);
  const answer other{{request_kind::user, 0, 8}, 3, 0, {}};
  EXPECT_EQ(check_.check(user_page, 3, &other), verdict::wrong);
}

TEST_F(checking, only_the_first_complaints_are_kept) {
  write(4);
  for (int i = 0; i < 20; ++i) read(user_page, 3);
  EXPECT_EQ(check_.complaints().size(), checker::max_complaints);
}

TEST_F(checking, ids_that_the_shop_does_not_have_are_harmless) {
  const request_key beyond{request_kind::order, 0, ~std::uint32_t{0}};
  EXPECT_EQ(check_.floor(beyond), 0U);
  EXPECT_EQ(check_.check(beyond, 0, nullptr), verdict::wrong);
}

}  // namespace
}  // namespace seawall::demo
