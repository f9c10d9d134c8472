// The end of a primary's log, with a database that is played.
#include "log_end.hpp"

#include "test_database.hpp"

#include <future>
#include <latch>
#include <vector>

namespace seawall::postgres {
namespace {

// Its log is a byte longer with each statement, and a statement ends when it is told to.
class played_primary final : public sql::database {
 public:
  sql::dialect dialect() const noexcept override { return sql::dialect::postgresql; }
  result<sql::rows> run(std::string_view, std::span<const sql::value>, sql::access) override {
    std::unique_lock lock{mutex_};
    const auto mine = ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return may_end_ >= mine; });
    if (down) return sql::fail(sql::errc::unreachable, "away");
    sql::rows answer;
    answer.columns = {"at", "timeline"};
    answer.values = {sql::value{mine}, sql::value{std::int64_t{1}}};
    return answer;
  }
  void await(std::int64_t statement) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return begun_ >= statement; });
  }
  void end(std::int64_t statement) {
    const std::lock_guard lock{mutex_};
    may_end_ = statement;
    changed_.notify_all();
  }

  bool down = false;

 protected:
  result<sql::connection*> take(sql::access) override { return sql::fail(sql::errc::misuse, "not here"); }
  void give_back(sql::connection&, sql::access) noexcept override {}

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t begun_ = 0;    // guarded by mutex_
  std::int64_t may_end_ = 0;  // guarded by mutex_
};

struct LogEnd : ::testing::Test {
  std::future<std::uint64_t> ask() {
    return std::async(std::launch::async, [this] { return end.now().value_or(log_position{}).at; });
  }

  std::shared_ptr<played_primary> primary = std::make_shared<played_primary>();
  log_end end{primary, false};
};

TEST_F(LogEnd, WhoComesDuringAStatementGetsWhatTheNextOneAnswers) {
  auto first = ask();
  primary->await(1);
  std::latch asking{8};
  std::vector<std::future<std::uint64_t>> others;
  for (int i = 0; i != 8; ++i) {
    others.push_back(std::async(std::launch::async, [&] {
      asking.count_down();
      return end.now().value_or(log_position{}).at;
    }));
  }
  asking.wait();
  primary->end(1);
  EXPECT_EQ(first.get(), 1U);
  primary->end(1'000);
  for (auto& one : others) EXPECT_GT(one.get(), 1U) << "its commit may be behind what that statement saw";
}

TEST_F(LogEnd, AFailureIsForThoseWhoWaitForIt) {
  primary->down = true;
  primary->end(1'000);
  const auto failed = end.now();
  ASSERT_FALSE(failed);
  EXPECT_TRUE(sql::is(failed.error(), sql::errc::unreachable));
  primary->down = false;
  EXPECT_EQ(ask().get(), 2U);
  EXPECT_EQ(end.statements(), 2U);
}

TEST_F(LogEnd, WhatIsNoPlaceIsAnError) {
  sql::rows odd;
  odd.columns = {"at"};
  odd.values = {sql::value{std::int64_t{1}}};
  EXPECT_FALSE(position_in(odd, 0));
  EXPECT_FALSE(position_in(sql::rows{}, 0));
}

}  // namespace
}  // namespace seawall::postgres
