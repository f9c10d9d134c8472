#include "board.hpp"
#include "commit_record.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace seawall::demo {
namespace {

constexpr row user_row{table::users, 7};
constexpr row order_row{table::orders, 7};

class recording : public testing::Test {
 protected:
  board board_{{1, 1, shop_size::scaled(0.001)}};
  commit_record& record_ = board_.commits();
};

TEST_F(recording, rows_of_different_tables_are_different) {
  record_.seed({user_row, 3});
  record_.seed({order_row, 5});
  EXPECT_EQ(record_.newest(user_row).version(), 3U);
  EXPECT_EQ(record_.newest(order_row).version(), 5U);
  EXPECT_EQ(record_.newest({table::products, 7}).version(), 0U);
}

TEST_F(recording, started_and_acknowledged_only_grow) {
  record_.starting({user_row, 5});
  record_.starting({user_row, 4});
  record_.acknowledged({user_row, 5}, 10);
  record_.acknowledged({user_row, 4}, 20);
  EXPECT_EQ(record_.started(user_row), 5U);
  EXPECT_EQ(record_.newest(user_row).version(), 5U);
  EXPECT_EQ(record_.first_newer(record_.newest(user_row), 3), 10);
}

TEST_F(recording, a_version_that_nobody_acknowledged_is_as_old_as_the_next) {
  record_.acknowledged({user_row, 2}, 10);
  record_.acknowledged({user_row, 6}, 30);
  EXPECT_EQ(record_.first_newer(record_.newest(user_row), 1), 10);
  for (const std::uint32_t v : {2U, 3U, 4U, 5U}) EXPECT_EQ(record_.first_newer(record_.newest(user_row), v), 30) << v;
}

TEST_F(recording, what_was_overwritten_is_not_known_any_more) {
  record_.acknowledged({user_row, 2}, 10);
  for (std::uint32_t v = 1; v <= commit_record::history; ++v) record_.acknowledged({order_row, v}, v);
  EXPECT_EQ(record_.first_newer(record_.newest(user_row), 1), 0);
  EXPECT_EQ(record_.newest(user_row).version(), 2U);
  EXPECT_EQ(record_.first_newer(record_.newest(order_row), commit_record::history - 2), commit_record::history - 1);
}

TEST_F(recording, writers_at_the_same_time_lose_no_version) {
  constexpr std::uint32_t each = 20'000;
  constexpr std::uint32_t writers = 4;
  std::vector<std::jthread> threads;
  for (std::uint32_t w = 0; w < writers; ++w) {
    threads.emplace_back([this, w] {
      for (std::uint32_t i = 0; i < each; ++i) {
        const std::uint32_t version = i * writers + w + 1;
        record_.acknowledged({user_row, version}, version);
      }
    });
  }
  threads.clear();
  const auto newest = record_.newest(user_row);
  EXPECT_EQ(newest.version(), each * writers);
  // Whatever was put in is in order, and the time of each is its own.
  for (std::uint32_t v = each * writers - 1; v > each * writers - 100; --v) {
    EXPECT_GT(record_.first_newer(newest, v), v);
  }
}

}  // namespace
}  // namespace seawall::demo
