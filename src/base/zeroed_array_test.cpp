#include "seawall/base/zeroed_array.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace seawall {
namespace {

TEST(ZeroedArray, IsAllZeroes) {
  for (const std::size_t size : {1, 100, 2'000'000}) {  // the last one asks for huge pages
    const zeroed_array<std::uint64_t> array(size);
    EXPECT_EQ(array.size(), size);
    EXPECT_EQ(array.bytes(), 8 * size);
    EXPECT_TRUE(std::all_of(array.begin(), array.end(), [](std::uint64_t each) { return each == 0; }));
  }
}

TEST(ZeroedArray, IsEmptyWithoutASize) {
  const zeroed_array<int> none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.begin(), none.end());
  EXPECT_TRUE(zeroed_array<int>(0).empty());
}

TEST(ZeroedArray, HandsItsMemoryOn) {
  zeroed_array<int> first(10);
  first[9] = 7;
  zeroed_array<int> second(std::move(first));
  EXPECT_TRUE(first.empty());
  zeroed_array<int> third(3);
  third = std::move(second);
  EXPECT_EQ(third.size(), 10u);
  EXPECT_EQ(third[9], 7);
  third = {};
  EXPECT_TRUE(third.empty());
}

TEST(ZeroedArray, SaysWhenThereIsNoMemory) {
  EXPECT_THROW(zeroed_array<std::uint64_t>(std::size_t{1} << 60), std::bad_alloc);
  EXPECT_THROW(zeroed_array<std::uint64_t>(SIZE_MAX / 8 + 2), std::bad_alloc) << "not so many bytes as are left over";
}

}  // namespace
}  // namespace seawall
