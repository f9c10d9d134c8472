#include "traffic.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace seawall::demo {
namespace {

namespace fs = std::filesystem;

class trace_files : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(testing::TempDir()) / ("traffic_" + std::to_string(::getpid()));
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
    return directory_ / name;
  }
  fs::path directory_;
};

TEST_F(trace_files, plain_keys_are_little_endian) {
  const auto file = write("a.u64", std::string("\x01\x02\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16));
  EXPECT_EQ(read_trace(file), (std::vector<std::uint64_t>{0x0201, ~std::uint64_t{0}}));
}

TEST_F(trace_files, what_is_no_trace_is_refused_with_its_name) {
  for (const auto& [name, bytes] : {std::pair{"odd.u64", "1234567"}, std::pair{"empty.u64", ""},
                                    std::pair{"text.u64.zst", "this was never packed"}}) {
    try {
      read_trace(write(name, bytes));
      ADD_FAILURE() << name << " was accepted";
    } catch (const traffic_error& e) {
      EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << e.what();
    }
  }
  EXPECT_THROW(read_trace(directory_ / "missing.u64"), traffic_error);
  EXPECT_THROW(read_trace(directory_), traffic_error);
}

TEST_F(trace_files, a_truncated_archive_is_refused) {
  std::ifstream in(find_trace_directory() / "c2k-web07.u64.zst", std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(in), {});
  ASSERT_GT(whole.size(), 1000U);
  EXPECT_THROW(read_trace(write("cut.u64.zst", whole.substr(0, whole.size() / 2))), traffic_error);
}

TEST(traffic, the_traces_of_the_project_are_complete) {
  const auto directory = find_trace_directory();
  EXPECT_EQ(read_trace(directory / "c2k-web07.u64.zst").size(), 76'118U);
  EXPECT_EQ(read_trace(directory / "c2k-web12.u64.zst").size(), 95'607U);
  EXPECT_EQ(read_trace(directory / "c2k-orm-busy.u64.zst").size(), 5'000'000U);
}

TEST(traffic, known_names) {
  const shop_size size;
  EXPECT_EQ(load_traffic("web07", find_trace_directory(), size).size(), 76'118U);
  EXPECT_FALSE(is_known_traffic("web13"));
}

TEST(traffic, lookups_have_the_shares_that_are_promised) {
  const shop_size size;
  std::array<int, request_kinds> seen{};
  for (std::uint64_t key = 0; key < 100'000; ++key) ++seen[static_cast<std::size_t>(lookup_request(key, size).kind)];
  EXPECT_EQ(seen[0], 0);
  EXPECT_NEAR(seen[1], 60'000, 1'000);
  EXPECT_NEAR(seen[2], 28'000, 1'000);
  EXPECT_NEAR(seen[3], 11'000, 500);
  EXPECT_NEAR(seen[4], 1'000, 150);
}

TEST(traffic, ids_exist_in_the_shop_and_orders_are_of_the_open_year) {
  const shop_size size = shop_size::scaled(0.001);
  for (std::uint64_t key = 0; key < 20'000; ++key) {
    const request_key product = product_request(key, 7, size);
    EXPECT_TRUE(product.id >= 1 && product.id <= size.products);
    const request_key lookup = lookup_request(key, size);
    const bool order = lookup.kind == request_kind::order;
    EXPECT_GE(lookup.id, order ? size.first_open_order() : 1);
    EXPECT_LE(lookup.id, order ? size.orders : size.users);
    EXPECT_LT(lookup.page, list_pages);
  }
}

TEST(traffic, the_mapping_is_the_same_every_time_and_salts_keep_traces_apart) {
  const shop_size size;
  EXPECT_EQ(lookup_request(42, size), lookup_request(42, size));
  EXPECT_NE(product_request(42, 7, size), product_request(42, 12, size));
}

TEST(traffic, interleaving_keeps_the_order_of_each_stream_and_spreads_them) {
  std::vector<std::vector<request_key>> streams(2);
  for (std::uint32_t i = 1; i <= 10; ++i) streams[0].push_back({request_kind::product_page, 0, i});
  for (std::uint32_t i = 1; i <= 1'000; ++i) streams[1].push_back({request_kind::user, 0, i});
  const auto merged = interleave(streams);
  ASSERT_EQ(merged.size(), 1'010U);
  std::uint32_t product = 0;
  std::uint32_t user = 0;
  for (const request_key& key : merged) {
    if (key.kind == request_kind::product_page) {
      EXPECT_EQ(key.id, ++product);
      EXPECT_NEAR(user, product * 100.0 - 50, 2);
    } else {
      EXPECT_EQ(key.id, ++user);
    }
  }
}

TEST(traffic, two_of_a_hundred_requests_write) {
  int writes = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) writes += is_write(i) ? 1 : 0;
  EXPECT_NEAR(writes, 2'000, 150);
}

}  // namespace
}  // namespace seawall::demo
