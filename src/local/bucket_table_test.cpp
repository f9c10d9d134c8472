// One table, under no load: against a map, and at the edges of its counters.
#include "seawall/local/bucket_table.hpp"

#include "seawall/base/random.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <vector>

namespace seawall::local {
namespace {

constexpr std::size_t whole_page = bucket_table::max_page_buckets;

// A table with the entries that are in it; a key is its index.
class filled {
 public:
  explicit filled(std::size_t buckets) : table(buckets) {}

  entry_header& make(std::uint32_t body, std::uint16_t tag) {
    entry_header& fresh = headers_.emplace_back();
    fresh.hash = body;
    tags_[&fresh] = tag;
    return fresh;
  }
  key_hash hash_of(const entry_header& entry) const { return {entry.hash, tags_.at(&entry)}; }

  /// False when there is no room within `reach`.
  bool put(entry_header& entry, std::size_t reach = whole_page) {
    const auto seen = locate(entry, reach);
    EXPECT_EQ(seen.found.entry, nullptr);
    if (!seen.has_room) return false;
    table.insert(hash_of(entry), seen.room, entry);
    return true;
  }
  void take(entry_header& entry) {
    const auto seen = locate(entry);
    ASSERT_EQ(seen.found.entry, &entry);
    table.erase(entry.hash, seen.found);
  }
  bool has(const entry_header& entry) const {
    return table.find(hash_of(entry), [&](const entry_header& one) { return &one == &entry; }) == &entry;
  }
  bucket_table::search locate(const entry_header& entry, std::size_t reach = whole_page) const {
    return table.locate(hash_of(entry), reach, [&](const entry_header& one) { return &one == &entry; });
  }

  bucket_table table;

 private:
  std::deque<entry_header> headers_;
  std::map<const entry_header*, std::uint16_t> tags_;
};

TEST(BucketTable, HasTheSizesItSays) {
  for (const auto& [asked, buckets, pages] : std::vector<std::array<std::size_t, 3>>{
           {0, 1, 1}, {1, 1, 1}, {2, 2, 1}, {3, 4, 1}, {63, 64, 1}, {64, 64, 1}, {65, 128, 2}, {129, 192, 3},
           {10'000, 10'048, 157}}) {
    const bucket_table table(asked);
    EXPECT_EQ(table.buckets(), buckets) << asked;
    EXPECT_EQ(table.pages(), pages) << asked;
    EXPECT_EQ(table.page_slots(), 8 * std::min<std::size_t>(buckets, 64));
    EXPECT_GE(table.bytes(), buckets * 64);
  }
}

TEST(BucketTable, PagesBeginWhereFirstBodySays) {
  for (const std::size_t buckets : {1, 32, 64, 128, 192, 10'048, 1 << 20}) {
    const bucket_table table(buckets);
    EXPECT_EQ(table.first_body(0), 0u);
    EXPECT_EQ(table.first_body(table.pages()), std::uint64_t{1} << 32);
    for (std::size_t page = 1; page < table.pages(); page += 1 + table.pages() / 100) {
      const auto first = static_cast<std::uint32_t>(table.first_body(page));
      ASSERT_EQ(table.page_of(first), page);
      ASSERT_EQ(table.page_of(first - 1), page - 1);
    }
    EXPECT_EQ(table.page_of(~0U), table.pages() - 1);
  }
}

TEST(BucketTable, EntriesThatFindTheirBucketFullStandInTheNextOnes) {
  filled at(64);
  std::vector<entry_header*> all;
  for (int i = 0; i != 100; ++i) {
    all.push_back(&at.make(5U << 26, static_cast<std::uint16_t>(2 * i + 1)));  // all at home in bucket 5
    ASSERT_TRUE(at.put(*all.back()));
    ASSERT_EQ(at.table.where(*all.back()).distance, static_cast<std::uint32_t>(i / 8));
  }
  for (entry_header* one : all) ASSERT_TRUE(at.has(*one));
  // More passed than the counter can say, so it stays; what is left must still be found.
  for (int i = 0; i != 99; ++i) {
    at.take(*all[i]);
    ASSERT_FALSE(at.has(*all[i]));
    ASSERT_TRUE(at.has(*all[99]));
  }
  EXPECT_EQ(at.table.where(*all[99]).distance, 12u);
}

TEST(BucketTable, CountsGoDownAgainWhenTheyWereNotFull) {
  filled at(64);
  std::vector<entry_header*> all;
  for (int i = 0; i != 8 + 13; ++i) {  // 13 pass the home bucket, which can count 14
    all.push_back(&at.make(7U << 26, static_cast<std::uint16_t>(2 * i + 1)));
    ASSERT_TRUE(at.put(*all.back()));
  }
  for (std::size_t i = 8; i != all.size(); ++i) at.take(*all[i]);
  // A search in the full home bucket ends there: it says that there is no room, since it need not go on.
  int looked_at = 0;
  at.table.find(key_hash{7U << 26, 1}, [&](const entry_header&) { return ++looked_at, false; });
  EXPECT_EQ(looked_at, 1) << "tags are compared first";
  entry_header& other = at.make(7U << 26, 999);
  EXPECT_FALSE(at.locate(other, 1).has_room);
  EXPECT_TRUE(at.locate(other).has_room);
  EXPECT_EQ(at.locate(other).room.distance, 1u);
}

TEST(BucketTable, WrapsAroundAtTheEndOfItsPage) {
  filled at(128);
  std::vector<entry_header*> all;
  for (int i = 0; i != 512; ++i) {
    all.push_back(&at.make(63U << 25, static_cast<std::uint16_t>(2 * i + 1)));  // the last bucket of the first page
    ASSERT_TRUE(at.put(*all.back()));
  }
  EXPECT_EQ(at.table.where(*all.back()).distance, 63u);
  EXPECT_FALSE(at.put(at.make(63U << 25, 4'001))) << "the page is full";
  EXPECT_TRUE(at.put(at.make(64U << 25, 4'001))) << "the next one is not";
  for (entry_header* one : all) ASSERT_TRUE(at.has(*one));
  int seen = 0;
  at.table.each(0, [&](entry_header&) { ++seen; });
  EXPECT_EQ(seen, 512);
  seen = 0;
  at.table.take_all(0, [&](entry_header&) { ++seen; });
  EXPECT_EQ(seen, 512);
  EXPECT_FALSE(at.has(*all[0]));
  EXPECT_TRUE(at.put(*all[0]));
  EXPECT_EQ(at.table.where(*all[0]).distance, 0u);
}

TEST(BucketTable, HashesOfOneBucketGoOnToDifferentOnesAndEachToAll) {
  filled at(128);
  constexpr std::uint32_t home = 62U << 25;
  constexpr std::uint32_t other_way = home | 7U << 5;
  for (int i = 0; i != 8; ++i) ASSERT_TRUE(at.put(at.make(home, 1)));
  ASSERT_TRUE(at.put(at.make(home, 3)));
  for (int i = 0; i != 7; ++i) ASSERT_TRUE(at.put(at.make(home, 1)));  // both buckets are full now
  EXPECT_EQ(at.locate(at.make(home, 5)).room.distance, 2u);
  EXPECT_EQ(at.locate(at.make(other_way, 5)).room.distance, 1u);
  std::vector<entry_header*> all;
  for (int i = 16; i != 512; ++i) {
    all.push_back(&at.make(other_way, static_cast<std::uint16_t>(2 * i + 1)));
    ASSERT_TRUE(at.put(*all.back())) << i;
  }
  for (entry_header* one : all) ASSERT_TRUE(at.has(*one));
  EXPECT_FALSE(at.put(at.make(other_way, 1))) << "the page is full";
}

TEST(BucketTable, CountsWhatIsVeryMuchAlike) {
  filled at(64);
  for (int i = 0; i != 5; ++i) at.put(at.make(0x1234'5678, 9));
  at.put(at.make(0x1234'5678, 11));
  at.put(at.make(0x1234'5679, 9));
  EXPECT_EQ(at.locate(at.make(0x1234'5678, 9)).alike, 5u);
}

TEST(BucketTable, NamesTheColdestOfWhatIsVeryMuchAlike) {
  filled at(64);
  entry_header& another = at.make(0x1234'5678, 9);
  EXPECT_EQ(at.locate(another).coldest.entry, nullptr);
  entry_header& pinned = at.make(0x1234'5678, 9);
  pinned.set(INT64_MAX, 0);
  at.put(pinned);
  EXPECT_EQ(at.locate(another).coldest.entry, nullptr) << "it must stay";
  std::array<entry_header*, 3> some{};
  for (entry_header*& one : some) {
    one = &at.make(0x1234'5678, 9);
    one->set_uses(2);
    at.put(*one);
  }
  at.put(at.make(0x1234'5679, 9));  // unused, but not alike
  some[1]->set_uses(1);
  EXPECT_EQ(at.locate(another).coldest.entry, some[1]);
  EXPECT_EQ(at.locate(another).coldest.slot, at.table.where(*some[1]).slot);
}

TEST(BucketTable, FindsTheNearestFreeSlot) {
  filled at(128);
  std::vector<entry_header*> all;
  for (std::uint32_t i = 0; i != 512; ++i) {
    const auto free = at.table.free_near(62U << 25);
    ASSERT_TRUE(free) << i;
    EXPECT_EQ(free->distance, i / 8) << "buckets that are full";
    all.push_back(&at.make(62U << 25, 1));
    at.table.insert(at.hash_of(*all.back()), *free, *all.back());
  }
  EXPECT_FALSE(at.table.free_near(62U << 25)) << "the page is full";
  EXPECT_TRUE(at.table.free_near(64U << 25)) << "the next one is not";
  at.take(*all[100]);
  const auto freed = at.table.free_near(62U << 25);
  ASSERT_TRUE(freed);
  EXPECT_EQ(freed->distance, 100u / 8);
  EXPECT_EQ(freed->slot, 100u % 8);
}

TEST(BucketTable, NamesASlotFromTheHomeOfWhatIsInIt) {
  filled at(64);
  entry_header& one = at.make(62U << 26, 1);
  at.table.insert(at.hash_of(one), {nullptr, 4, 3}, one);  // in bucket 2, over the end
  bool seen = false;
  at.table.around(1U << 26, 3, [&](const bucket_table::position& which) {
    seen = true;
    EXPECT_EQ(which.distance, 1u);
    const auto from_home = at.table.from_its_home(1U << 26, which);
    EXPECT_EQ(from_home.distance, 4u);
    EXPECT_EQ(from_home.slot, 3u);
    at.table.erase(one.hash, from_home);
  });
  EXPECT_TRUE(seen);
  EXPECT_FALSE(at.has(one));
  EXPECT_EQ(at.table.where(one).entry, nullptr);
}

TEST(BucketTable, ReplacingKeepsTheWayToTheOthers) {
  filled at(64);
  std::vector<entry_header*> all;
  for (int i = 0; i != 30; ++i) at.put(*all.emplace_back(&at.make(5U << 26, static_cast<std::uint16_t>(2 * i + 1))));
  for (int i = 0; i != 8; ++i) {
    entry_header& fresh = at.make(5U << 26, static_cast<std::uint16_t>(2 * i + 1));
    at.table.replace(at.hash_of(fresh), at.locate(*all[i]).found, fresh);
    ASSERT_TRUE(at.has(fresh));
    ASSERT_FALSE(at.has(*all[i]));
  }
  for (int i = 8; i != 30; ++i) ASSERT_TRUE(at.has(*all[i]));
}

TEST(BucketTable, MovingOutKeepsTheWayToWhatIsStillThere) {
  filled at(64);
  std::set<const entry_header*> left;
  for (int i = 0; i != 40; ++i) {
    entry_header& one = at.make(60U << 26, static_cast<std::uint16_t>(2 * i + 1));
    at.put(one);
    left.insert(&one);
  }
  at.table.move_out(0, [&](entry_header& entry, std::uint16_t tag, const auto& take_out) {
    EXPECT_EQ(tag, at.hash_of(entry).tag);
    for (const entry_header* one : left) ASSERT_TRUE(at.has(*one));
    left.erase(&entry);
    take_out();
    ASSERT_FALSE(at.has(entry));
  });
  EXPECT_TRUE(left.empty());
}

RC_GTEST_PROP(BucketTableGame, FindsWhatIsInTheModel, (const std::vector<std::uint16_t>& moves)) {
  const auto buckets = *rc::gen::element<std::size_t>(1, 4, 64, 192);
  const auto reach = *rc::gen::element<std::size_t>(1, 3, whole_page);
  filled at(buckets);
  std::vector<entry_header*> there;
  std::vector<entry_header*> gone;
  for (const std::uint16_t move : moves) {
    if (move % 3 != 0 || there.empty()) {
      const auto body = static_cast<std::uint32_t>(mix64(move / 64 % 8));  // few homes
      entry_header& fresh = at.make(body, static_cast<std::uint16_t>(move | 1));
      if (at.put(fresh, reach)) there.push_back(&fresh);
      else gone.push_back(&fresh);
    } else {
      const std::size_t which = move / 3 % there.size();
      at.take(*there[which]);
      gone.push_back(there[which]);
      there.erase(there.begin() + static_cast<std::ptrdiff_t>(which));
    }
    for (const entry_header* one : there) RC_ASSERT(at.has(*one));
    for (const entry_header* one : gone) RC_ASSERT(!at.has(*one));
    for (const entry_header* one : there) RC_ASSERT(at.table.where(*one).entry == one);
  }
}

TEST(BucketTableLongGame, FindsWhatIsInTheModelWhenItIsNearlyFull) {
  random_source random(3);
  filled at(64);
  std::vector<entry_header*> there;
  for (int i = 0; i != 20'000; ++i) {
    const bool grows = there.size() < 490 || (there.size() < 512 && random.next() % 2 == 0);
    if (grows) {
      const auto tag = static_cast<std::uint16_t>(random.next() | 1);
      entry_header& fresh = at.make(static_cast<std::uint32_t>(random.next()), tag);
      ASSERT_TRUE(at.put(fresh));
      there.push_back(&fresh);
    } else {
      std::swap(there[random.next() % there.size()], there.back());
      at.take(*there.back());
      ASSERT_FALSE(at.has(*there.back()));
      there.pop_back();
    }
    if (i % 500 == 0) {
      for (const entry_header* one : there) ASSERT_TRUE(at.has(*one));
    }
  }
}

}  // namespace
}  // namespace seawall::local
