#include "postgres_shop.hpp"
#include "shop_file.hpp"
#include "shop_queries.hpp"
#include "sqlite.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace seawall::demo {
namespace {

namespace fs = std::filesystem;

const shop_size tiny = shop_size::scaled(0.001);

bool keep_going(std::string_view, double) { return true; }

class shop : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(testing::TempDir()) / ("shop_" + std::to_string(::getpid()));
    fs::create_directories(directory_);
    path_ = (directory_ / "shop.db").string();
  }
  void TearDown() override { fs::remove_all(directory_); }

  /// What open_shop says about a path that it must refuse.
  std::string refusal(const std::string& path) const {
    try {
      open_shop(path, tiny, false, keep_going);
      return "accepted";
    } catch (const std::exception& e) {
      EXPECT_NE(std::string(e.what()).find(path), std::string::npos) << e.what();
      return e.what();
    }
  }
  static bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

  fs::path directory_;
  std::string path_;
};

TEST_F(shop, is_generated_once) {
  EXPECT_TRUE(open_shop(path_, tiny, false, keep_going).generated);
  EXPECT_FALSE(open_shop(path_, tiny, false, keep_going).generated);
  EXPECT_EQ(read_shop_size(path_), tiny);
  EXPECT_FALSE(fs::exists(path_ + ".unfinished"));
}

TEST_F(shop, of_another_size_or_an_older_schema_is_generated_anew) {
  open_shop(path_, tiny, false, keep_going);
  EXPECT_TRUE(open_shop(path_, shop_size::scaled(0.002), false, keep_going).generated);
  database(path_, open_mode::existing).execute("PRAGMA user_version = 0; PRAGMA wal_checkpoint(TRUNCATE)");
  EXPECT_TRUE(open_shop(path_, shop_size::scaled(0.002), false, keep_going).generated);
}

TEST_F(shop, generation_that_is_stopped_leaves_nothing) {
  EXPECT_THROW(open_shop(path_, tiny, false, [](std::string_view, double share) { return share < 0.5; }),
               generation_stopped);
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_FALSE(fs::exists(path_ + ".unfinished"));
  EXPECT_TRUE(open_shop(path_, tiny, false, keep_going).generated);
}

TEST_F(shop, has_as_many_rows_as_it_says) {
  open_shop(path_, tiny, false, keep_going);
  database db(path_, open_mode::read_only);
  EXPECT_EQ(db.number("SELECT count(*) FROM orders"), tiny.orders);
  EXPECT_EQ(db.number("SELECT count(*) FROM users"), tiny.users);
  EXPECT_EQ(db.number("SELECT count(*) FROM products"), tiny.products);
  EXPECT_EQ(db.number("SELECT count(*) FROM reviews"), tiny.reviews);
  EXPECT_EQ(db.number("SELECT count(*) FROM order_items i LEFT JOIN products p ON p.id = i.product_id "
                      "WHERE p.id IS NULL"), 0);
  EXPECT_EQ(db.number("SELECT count(*) FROM orders WHERE (placed_at >= 1704067200) <> (id >= " +
                      std::to_string(tiny.first_open_order()) + ")"), 0);
}

TEST(postgres_shop, queries_are_translated) {
  EXPECT_EQ(in_postgres("SELECT name FROM users LIMIT ?1 OFFSET ?2"), "SELECT name FROM users LIMIT $1 OFFSET $2");
  EXPECT_EQ(in_postgres("SELECT strftime('%Y-%m', o.placed_at, 'unixepoch') AS month"),
            "SELECT to_char(to_timestamp(o.placed_at) AT TIME ZONE 'UTC', 'YYYY-MM') AS month");
}

TEST(postgres_shop, settings_are_added_to_a_url) {
  EXPECT_EQ(with_setting("postgres://h/d", "a", "b"), "postgres://h/d?options=-c%20a%3Db");
  EXPECT_EQ(with_setting("postgres://h/d?port=1", "a", "b"), "postgres://h/d?port=1&options=-c%20a%3Db");
  EXPECT_EQ(with_setting("postgres://h/d?options=-c%20c%3Dd&port=1", "a", "b"),
            "postgres://h/d?options=-c%20a%3Db%20-c%20c%3Dd&port=1");
}

TEST(shop_sizes, the_full_shop_is_as_large_as_promised) {
  const shop_size full = shop_size::scaled(1);
  EXPECT_GE(full.orders, 1'000'000U);
  EXPECT_EQ(full.users, 200'000U);
  EXPECT_EQ(full.products, 50'000U);
}

TEST_F(shop, foreign_files_are_left_alone) {
  EXPECT_TRUE(says(refusal(directory_.string()), "directory"));
  EXPECT_TRUE(says(refusal((directory_ / "missing" / "shop.db").string()), "does not exist"));
  std::ofstream(path_) << "my diary";
  EXPECT_TRUE(says(refusal(path_), "not an SQLite database"));
  fs::remove(path_);
  database(path_, open_mode::create).execute("CREATE TABLE diary (day, text)");
  EXPECT_TRUE(says(refusal(path_), "another program"));
}

TEST_F(shop, damage_is_noticed) {
  open_shop(path_, tiny, false, keep_going);
  fs::resize_file(path_, fs::file_size(path_) / 2);
  EXPECT_TRUE(says(refusal(path_), "damaged"));
}

TEST_F(shop, one_demo_at_a_time) {
  const shop_file mine = open_shop(path_, tiny, false, keep_going);
  EXPECT_TRUE(says(refusal(path_), "another seawall-demo"));
}

class shop_data : public shop {
 protected:
  void SetUp() override {
    shop::SetUp();
    open_shop(path_, tiny, false, keep_going);
    session_.emplace(shop_place_at(path_, 1)->connect());
  }
  answer load(request_key key) {
    auto a = session_->load(key);
    EXPECT_TRUE(a.has_value());
    return a.value_or(answer{});
  }
  shop_change write(request_key key, std::uint64_t variation) {
    return session_->write(key, variation, [](const shop_change&) {});
  }
  std::optional<shop_session> session_;
};

TEST_F(shop_data, answers_carry_their_key_and_version) {
  const request_key keys[] = {{request_kind::product_page, 0, 5}, {request_kind::user, 0, 6},
                              {request_kind::order, 0, tiny.first_open_order()}, {request_kind::order_list, 1, 6},
                              {request_kind::dashboard, 0, 6}};
  for (const request_key& key : keys) {
    const answer a = load(key);
    EXPECT_EQ(a.key, key);
    EXPECT_EQ(a.version, 1U);
    EXPECT_TRUE(a.body.starts_with('{') && a.body.ends_with('}')) << a.body;
  }
}

TEST_F(shop_data, what_does_not_exist_has_no_answer) {
  for (std::size_t kind = 0; kind < request_kinds; ++kind) {
    EXPECT_FALSE(session_->load({static_cast<request_kind>(kind), 0, 4'000'000}));
  }
}

TEST_F(shop_data, only_reads_count_as_queries) {
  const std::uint64_t before = session_->queries();
  write({request_kind::user, 0, 6}, 1);
  EXPECT_EQ(session_->queries(), before);
  load({request_kind::order, 0, tiny.first_open_order()});
  EXPECT_EQ(session_->queries(), before + 2);
}

/// Every answer that a write changes must be among those that it tells to invalidate, and its version must rise.
TEST_F(shop_data, a_write_names_every_answer_that_it_changes) {
  std::vector<request_key> all;
  for (std::uint32_t id = 1; id <= tiny.products; ++id) all.push_back({request_kind::product_page, 0, id});
  for (std::uint32_t id = 1; id <= tiny.orders; ++id) all.push_back({request_kind::order, 0, id});
  for (std::uint32_t id = 1; id <= tiny.users; ++id) {
    all.push_back({request_kind::user, 0, id});
    all.push_back({request_kind::dashboard, 0, id});
    for (std::uint8_t page = 0; page < list_pages; ++page) all.push_back({request_kind::order_list, page, id});
  }
  std::vector<answer> before;
  for (const request_key& key : all) before.push_back(load(key));
  const request_key writes[] = {{request_kind::product_page, 0, 5}, {request_kind::user, 0, 6},
                                {request_kind::order, 0, tiny.orders}, {request_kind::order_list, 0, 3},
                                {request_kind::dashboard, 0, 2}};
  std::uint64_t variation = 11;
  for (const request_key& key : writes) {
    const shop_change change = write(key, ++variation);
    ASSERT_FALSE(change.rows.empty());
    for (std::size_t i = 0; i < all.size(); ++i) {
      answer now = load(all[i]);
      const bool named = std::ranges::find(change.derived, all[i]) != change.derived.end();
      EXPECT_EQ(named, now.version > before[i].version) << name_of(all[i].kind) << ' ' << all[i].id;
      EXPECT_TRUE(named || now.body == before[i].body) << name_of(all[i].kind) << ' ' << all[i].id;
      before[i] = std::move(now);
    }
  }
}

TEST_F(shop_data, the_closed_year_never_changes) {
  database db(path_, open_mode::read_only);
  const auto history = [&db] {
    return db.number("SELECT sum(version * id + status) FROM orders WHERE placed_at < 1704067200");
  };
  const std::int64_t before = history();
  for (std::uint32_t id = 1; id <= tiny.users; ++id) write({request_kind::dashboard, 0, id}, id);
  EXPECT_EQ(history(), before);
}

}  // namespace
}  // namespace seawall::demo
