// The checker must reject what it is there to find.
#include "checker.hpp"

#include <gtest/gtest.h>

namespace seawall::linearizability {
namespace {

using history = std::vector<operation>;

constexpr operation get(int value, std::uint64_t begin, std::uint64_t end) {
  return {.what = kind::get, .value = value, .begin = begin, .end = end};
}
constexpr operation put(int value, std::uint64_t begin, std::uint64_t end, bool replaced = false) {
  return {.what = kind::put, .value = value, .done = replaced, .begin = begin, .end = end};
}
constexpr operation removal(bool done, std::uint64_t begin, std::uint64_t end) {
  return {.what = kind::remove, .done = done, .begin = begin, .end = end};
}
constexpr operation absent(int value, bool done, std::uint64_t begin, std::uint64_t end) {
  return {.what = kind::put_if_absent, .value = value, .done = done, .begin = begin, .end = end};
}
constexpr operation swap(int expected, int value, bool done, std::uint64_t begin, std::uint64_t end) {
  operation one{.what = kind::replace_if_equal, .value = value, .expected = expected, .done = done};
  one.begin = begin;
  one.end = end;
  return one;
}
constexpr operation compute(int saw, int value, std::uint64_t begin, std::uint64_t end) {
  return {.what = kind::compute, .value = value, .expected = saw, .begin = begin, .end = end};
}

TEST(Checker, AcceptsWhatCanBeOrdered) {
  EXPECT_TRUE(linearizable({}));
  EXPECT_TRUE(linearizable({get(0, 1, 2), put(1, 3, 4), get(1, 5, 6), removal(true, 7, 8), get(0, 9, 10)}));
  EXPECT_TRUE(linearizable({put(1, 1, 10), get(0, 2, 3), get(1, 4, 5)})) << "it took effect in between";
  EXPECT_TRUE(linearizable({put(1, 1, 10), put(2, 2, 9, true), get(2, 3, 4), get(2, 11, 12)}));
  EXPECT_TRUE(linearizable({put(1, 1, 10, true), put(2, 2, 9), get(1, 11, 12)}));
  EXPECT_TRUE(linearizable({absent(1, true, 1, 5), absent(2, false, 2, 6), get(1, 7, 8)}));
  EXPECT_TRUE(linearizable({compute(0, 1, 1, 9), compute(1, 2, 2, 8), get(2, 10, 11)}));
  EXPECT_TRUE(linearizable({put(1, 1, 2), swap(1, 2, true, 3, 6), swap(1, 3, false, 4, 5), get(2, 7, 8)}));
  EXPECT_TRUE(linearizable({put(1, 1, 2), get(0, 3, 4), get(0, 5, 6)}, true)) << "evicted";
  EXPECT_TRUE(linearizable({put(1, 1, 2), get(1, 3, 4), put(2, 5, 6)}, true)) << "evicted before it was replaced";
}

TEST(Checker, RejectsWhatCannot) {
  EXPECT_FALSE(linearizable({get(1, 1, 2)})) << "out of thin air";
  EXPECT_FALSE(linearizable({put(1, 1, 2), get(0, 3, 4)})) << "a value that is missed";
  EXPECT_FALSE(linearizable({put(1, 1, 2), put(2, 3, 4, true), get(1, 5, 6)})) << "an old value";
  EXPECT_FALSE(linearizable({put(1, 1, 2), removal(true, 3, 4), get(1, 5, 6)})) << "a removed value";
  EXPECT_FALSE(linearizable({put(1, 1, 2), removal(false, 3, 4)})) << "a removal that found nothing";
  EXPECT_FALSE(linearizable({put(1, 1, 2), put(2, 3, 4)})) << "a replacement that found nothing";
  EXPECT_FALSE(linearizable({absent(1, true, 1, 5), absent(2, true, 2, 6)})) << "both were first";
  EXPECT_FALSE(linearizable({absent(1, false, 1, 5), absent(2, false, 2, 6)})) << "neither was";
  EXPECT_FALSE(linearizable({compute(0, 1, 1, 9), compute(0, 2, 2, 8)})) << "a lost update";
  EXPECT_FALSE(linearizable({put(1, 1, 2), swap(1, 2, true, 3, 6), swap(1, 3, true, 4, 5)})) << "both swapped";
  EXPECT_FALSE(linearizable({put(1, 1, 20), get(1, 2, 3), get(0, 4, 5)})) << "there, and gone again";
  EXPECT_FALSE(linearizable({put(1, 1, 20), put(2, 1, 20, true), get(2, 2, 3), get(1, 4, 5), get(2, 6, 7)}))
      << "two readers that disagree on the order";
}

TEST(Checker, EvictionBringsNothingBack) {
  EXPECT_FALSE(linearizable({put(1, 1, 2), get(0, 3, 4), get(1, 5, 6)}, true));
  EXPECT_FALSE(linearizable({put(1, 1, 2), put(2, 3, 4, true), get(1, 5, 6)}, true));
  EXPECT_FALSE(linearizable({put(1, 1, 2), removal(true, 3, 4), removal(true, 5, 6)}, true));
  EXPECT_FALSE(linearizable({put(1, 1, 2), get(0, 3, 4), swap(1, 2, true, 5, 6)}, true));
}

}  // namespace
}  // namespace seawall::linearizability
