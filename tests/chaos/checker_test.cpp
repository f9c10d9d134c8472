#include "checker.hpp"

#include "servers/temp_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

namespace chaos {
namespace {

constexpr std::uint64_t key = 3;
constexpr std::uint64_t latest = 20;
constexpr std::int64_t bound = 500 * millisecond;

checker::answer got(std::uint64_t version) { return std::make_shared<const std::string>(row_text(version, key)); }
checker::answer absence() { return seawall::value_ptr<std::string>{}; }

truth new_truth(const std::filesystem::path& file) {
  truth made = truth::create(file, 8);
  made.head().bound_ns.store(bound);
  return made;
}

class chaos_checker : public testing::Test {
 protected:
  chaos_checker() { of.committed.store(latest); }

  /// Somebody's invalidation for the version has returned so long ago.
  void announce(std::uint64_t version, std::int64_t ago = 0, std::size_t process = 0) {
    of.by[process].told.add(now() - ago, version);
    raise_to(of.announced, version);
  }
  broken verdict(bool fresh, const checker::answer& answer) { return verdict(judge.before(key, fresh), answer); }
  broken verdict(const checker::question& asked, const checker::answer& answer) {
    shared.head().violations.store(0);
    shared.head().list[0].what.store(0);
    judge.judge(asked, answer, counts);
    return static_cast<broken>(shared.head().list[0].what.load());
  }
  broken fresh(std::uint64_t version) { return verdict(true, got(version)); }
  broken any(std::uint64_t version) { return verdict(false, got(version)); }

  seawall::servers::temp_dir folder{"chaos"};
  truth shared = new_truth(folder.path() / "truth");
  row& of = shared.at(key);
  std::uint64_t unlinearized = 0;
  checker judge{shared, 1, [this] { return unlinearized; }};
  local_tally counts;
};

TEST_F(chaos_checker, a_fresh_read_is_as_new_as_what_was_announced) {
  announce(9);
  EXPECT_EQ(fresh(8), broken::fresh_too_old);
  EXPECT_EQ(fresh(9), broken::none);
  const auto begun = judge.before(key, true);
  announce(15);
  EXPECT_EQ(verdict(begun, got(9)), broken::none) << "announced while it was under way";
}

TEST_F(chaos_checker, a_fresh_read_is_as_new_as_the_fresh_read_before) {
  EXPECT_EQ(fresh(9), broken::none);
  EXPECT_EQ(fresh(8), broken::fresh_went_back);
  const auto begun = judge.before(key, true);
  ++unlinearized;
  EXPECT_EQ(verdict(begun, got(8)), broken::none) << "it, or a read beside it, was not linearizable, and counted";
}

TEST_F(chaos_checker, what_was_not_linearizable_binds_nobody) {
  const auto begun = judge.before(key, true);
  ++unlinearized;
  EXPECT_EQ(verdict(begun, got(9)), broken::none);
  judge.sample();
  EXPECT_EQ(fresh(8), broken::none);
}

TEST_F(chaos_checker, other_reads_are_behind_by_the_bound_at_most) {
  announce(8, bound + millisecond);
  announce(9, bound / 2, 2);
  EXPECT_EQ(any(6), broken::any_too_old);
  EXPECT_EQ(any(8), broken::none);
  EXPECT_GE(counts.oldest, bound / 2);
  EXPECT_LT(counts.oldest, bound);
}

TEST_F(chaos_checker, many_announcements_hide_no_old_one) {
  announce(8, bound + millisecond);
  of.committed.store(1000);
  for (std::uint64_t version = 100; version != 100 + 2 * history::size; ++version) announce(version, 0, 2);
  EXPECT_EQ(any(6), broken::any_too_old);
  EXPECT_EQ(any(8), broken::none) << "newer ones are recent";
}

TEST_F(chaos_checker, a_process_sees_its_own_writes) {
  judge.has_invalidated(key, 9);
  EXPECT_EQ(any(8), broken::own_write_unseen);
  EXPECT_EQ(fresh(8), broken::own_write_unseen);
  EXPECT_EQ(any(9), broken::none);
}

TEST_F(chaos_checker, a_process_does_not_go_back) {
  EXPECT_EQ(fresh(9), broken::none) << "so it was in Redis";
  EXPECT_EQ(any(9), broken::none);
  EXPECT_EQ(any(8), broken::went_back);
}

TEST_F(chaos_checker, what_was_never_in_redis_may_be_followed_by_older) {
  EXPECT_EQ(any(9), broken::none);
  EXPECT_EQ(any(8), broken::none);
}

TEST_F(chaos_checker, an_absence_is_the_latest_that_it_can_be) {
  announce(14);
  EXPECT_EQ(verdict(true, absence()), broken::none) << "14 does not exist";
  announce(15);
  EXPECT_EQ(verdict(true, absence()), broken::fresh_too_old) << "nor does 21, which is not committed";
  of.committed.store(21);
  EXPECT_EQ(verdict(true, absence()), broken::none);
}

TEST_F(chaos_checker, a_row_that_always_was_there_is_found) {
  of.committed.store(6);
  EXPECT_EQ(verdict(false, absence()), broken::existing_row_absent);
}

TEST_F(chaos_checker, nonsense_is_noticed) {
  EXPECT_EQ(any(latest + 1), broken::from_the_future);
  EXPECT_EQ(any(7), broken::from_the_future) << "a version that does not exist";
  EXPECT_EQ(verdict(false, std::make_shared<const std::string>(row_text(5, key + 1))), broken::wrong_key);
  EXPECT_EQ(verdict(false, std::make_shared<const std::string>("text")), broken::wrong_key);
  EXPECT_EQ(verdict(false, seawall::fail(seawall::errc::closed)), broken::strange_error);
  EXPECT_EQ(verdict(false, seawall::fail(seawall::errc::loader_failed)), broken::none);
}

TEST_F(chaos_checker, two_primaries_excuse_until_the_bound_has_passed) {
  announce(9);
  ++shared.head().two_primaries;
  EXPECT_EQ(fresh(8), broken::none);
  ++shared.head().two_primaries;
  shared.head().two_primaries_ended.store(now() - bound / 2);
  EXPECT_EQ(fresh(8), broken::none);
  shared.head().two_primaries_ended.store(now() - bound);
  EXPECT_EQ(fresh(8), broken::fresh_too_old);
  EXPECT_EQ(counts[tally::excused_fresh], 2);
}

TEST_F(chaos_checker, at_the_end_there_is_only_what_the_database_has) {
  judge.judge_last(key, got(latest));
  EXPECT_EQ(shared.head().violations.load(), 0);
  judge.judge_last(key, got(latest - 1));
  EXPECT_EQ(shared.head().violations.load(), 1);
  judge.judge_last(key, absence());
  EXPECT_EQ(shared.head().violations.load(), 2);
  of.committed.store(21);
  judge.judge_last(key, absence());
  EXPECT_EQ(shared.head().violations.load(), 2);
}

TEST(Delays, AreCountedInTheBucketThatHoldsThem) {
  for (const std::uint64_t ns : {0ULL, 1ULL, 7ULL, 8ULL, 15ULL, 16ULL, 17ULL, 1'000ULL, 1'023ULL, 1'024ULL,
                                 987'654'321ULL, 1ULL << 62U}) {
    const std::size_t bucket = delays::bucket_of(ns);
    EXPECT_LE(delays::begin_of(bucket), ns);
    EXPECT_GT(delays::begin_of(bucket + 1), ns);
    EXPECT_LE(delays::begin_of(bucket + 1) - delays::begin_of(bucket), std::max<std::uint64_t>(ns / 8, 1));
  }
}

}  // namespace
}  // namespace chaos
