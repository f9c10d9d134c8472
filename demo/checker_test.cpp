#include "checker.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace seawall::demo {
namespace {

using namespace std::chrono_literals;

constexpr request_key user_page{request_kind::user, 0, 7};
constexpr request_key dashboard{request_kind::dashboard, 0, 7};
constexpr row user_row{table::users, 7};
constexpr auto any = consistency::any;
constexpr auto fresh = consistency::fresh;

const shop_size size = shop_size::scaled(0.001);

class record_of_a_test {
 public:
  commit_record commits{memory(), size};

 private:
  struct alignas(64) line {
    std::byte bytes[64];
  };
  std::byte* memory() {
    lines_.resize(commit_record::bytes(size) / sizeof(line) + 1);
    return reinterpret_cast<std::byte*>(lines_.data());
  }
  std::vector<line> lines_;
};

// --- one process alone ----------------------------------------------------------------------------------------------

class checking : public testing::Test {
 protected:
  checking() { record_.commits.seed({user_row, 3}); }

  expectation expect(const request_key& key) const { return check_.expect(key, any, 0); }
  verdict read(const request_key& key, std::uint32_t version) {
    const answer a{key, version, 0, {}};
    return check_.check(key, expect(key), &a).is;
  }
  void write(std::uint32_t version) {
    check_.starting({user_row, version});
    check_.acknowledged({user_row, version}, 0);
  }

  record_of_a_test record_;
  checker check_{record_.commits};
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
  const expectation before = expect(user_page);
  write(4);
  const answer old{user_page, 3, 0, {}};
  EXPECT_EQ(check_.check(user_page, before, &old).is, verdict::good);
}

TEST_F(checking, acknowledgements_in_another_order_do_not_lower_the_floor) {
  check_.starting({user_row, 5});
  check_.acknowledged({user_row, 5}, 0);
  check_.acknowledged({user_row, 4}, 0);
  EXPECT_EQ(expect(user_page).least, 5U);
}

TEST_F(checking, a_version_that_nobody_wrote_is_impossible) { EXPECT_EQ(read(user_page, 4), verdict::impossible); }

TEST_F(checking, no_answer_and_the_answer_to_another_request_are_wrong) {
  EXPECT_EQ(check_.check(user_page, expect(user_page), nullptr).is, verdict::wrong);
  const answer other{{request_kind::user, 0, 8}, 3, 0, {}};
  EXPECT_EQ(check_.check(user_page, expect(user_page), &other).is, verdict::wrong);
}

TEST_F(checking, only_the_first_complaints_are_kept) {
  write(4);
  for (int i = 0; i < 20; ++i) read(user_page, 3);
  EXPECT_EQ(check_.complaints().size(), checker::max_complaints);
}

TEST_F(checking, ids_that_the_shop_does_not_have_are_harmless) {
  const request_key beyond{request_kind::order, 0, ~std::uint32_t{0}};
  EXPECT_EQ(expect(beyond).least, 0U);
  EXPECT_EQ(check_.check(beyond, expect(beyond), nullptr).is, verdict::wrong);
}

// --- one of two processes -------------------------------------------------------------------------------------------

constexpr std::int64_t ms = 1'000'000;

class checking_across : public testing::Test {
 protected:
  checking_across() {
    record_.commits.seed({user_row, 3});
    for (std::uint32_t v = 4; v <= 9; ++v) record_.commits.starting({user_row, v});
  }

  /// Committed, and invalidated for all, by the other process.
  void other_writes(std::uint32_t version, std::int64_t at) { record_.commits.acknowledged({user_row, version}, at); }
  judgement read(std::uint32_t version, consistency how, std::int64_t at) {
    const answer a{user_page, version, 0, {}};
    return here_.check(user_page, here_.expect(user_page, how, at), &a);
  }

  record_of_a_test record_;
  checker here_{record_.commits, 1s};
  checker there_{record_.commits, 1s};
};

TEST_F(checking_across, what_another_process_invalidated_within_the_bound_is_behind) {
  other_writes(4, 100 * ms);
  EXPECT_EQ(read(3, any, 1'100 * ms), (judgement{verdict::behind, 1'000 * ms}));
  EXPECT_EQ(read(3, any, 1'100 * ms + 1), (judgement{verdict::stale, 1'000 * ms + 1}));
  EXPECT_EQ(read(4, any, 5'000 * ms), (judgement{verdict::good, 0}));
  ASSERT_EQ(here_.complaints().size(), 1U);
  EXPECT_EQ(here_.complaints()[0], "user 7: stale: got version 3, although a newer one was invalidated 1000 ms before");
}

TEST_F(checking_across, the_first_write_that_an_answer_lacks_tells_its_age) {
  other_writes(4, 100 * ms);
  other_writes(5, 200 * ms);
  other_writes(6, 300 * ms);
  EXPECT_EQ(read(3, any, 350 * ms).age_ns, 250 * ms);
  EXPECT_EQ(read(4, any, 350 * ms).age_ns, 150 * ms);
  EXPECT_EQ(read(5, any, 350 * ms).age_ns, 50 * ms);
  EXPECT_EQ(read(6, any, 350 * ms).age_ns, 0);
  EXPECT_EQ(read(3, any, 1'101 * ms).is, verdict::stale);
  EXPECT_EQ(read(4, any, 1'101 * ms).is, verdict::behind);
}

TEST_F(checking_across, fresh_reads_must_have_what_any_process_invalidated) {
  other_writes(4, 100 * ms);
  EXPECT_EQ(read(3, fresh, 100 * ms).is, verdict::stale);
  EXPECT_EQ(read(4, fresh, 100 * ms).is, verdict::good);
}

TEST_F(checking_across, own_writes_are_seen_at_once_by_all_reads) {
  here_.acknowledged_here({user_row, 4});
  EXPECT_EQ(read(3, any, 0).is, verdict::stale);
  EXPECT_EQ(read(3, fresh, 0).is, verdict::stale);
  EXPECT_EQ(read(4, any, 0).is, verdict::good);
}

TEST_F(checking_across, another_process_may_miss_what_could_not_be_announced) {
  there_.acknowledged_here({user_row, 4});
  EXPECT_EQ(read(3, any, 5'000 * ms).is, verdict::good);
  EXPECT_EQ(read(3, fresh, 5'000 * ms).is, verdict::good);
}

TEST_F(checking_across, answers_may_go_back_where_promises_let_them) {
  EXPECT_EQ(read(9, any, 0).is, verdict::good);
  EXPECT_EQ(read(3, any, 0).is, verdict::good);
}

TEST_F(checking_across, what_no_process_has_begun_to_write_is_impossible) {
  EXPECT_EQ(read(10, any, 0).is, verdict::impossible);
  EXPECT_EQ(read(10, fresh, 0).is, verdict::impossible);
}

TEST_F(checking_across, a_version_from_before_the_run_is_stale) {
  EXPECT_EQ(read(2, any, 50 * ms).is, verdict::behind) << "the clock has run for 50 ms";
  EXPECT_EQ(read(2, any, 1'001 * ms).is, verdict::stale);
  EXPECT_EQ(read(2, fresh, 50 * ms).is, verdict::stale);
}

}  // namespace
}  // namespace seawall::demo
