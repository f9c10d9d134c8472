#include "seawall/eviction/arena.hpp"

#include "seawall/base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <vector>

namespace seawall::eviction {
namespace {

constexpr std::size_t chunk = std::size_t{64} << 10;

std::vector<handle> allocate(arena& from, std::size_t count) {
  std::vector<handle> handles(count);
  for (handle& one : handles) one = from.allocate();
  return handles;
}
std::vector<handle> swept(arena& entries) {
  std::vector<handle> seen;
  for (std::size_t i = 0; i != entries.chunk_count(); ++i) {
    entries.sweep(i, [&](handle which, entry_header&) { return seen.push_back(which), INT64_MAX; });
  }
  return seen;
}

class ArenaOfSize : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ArenaOfSize, GivesSlotsOfTheirOwnThatKnowTheirNames) {
  arena entries(GetParam());
  const std::vector<handle> handles = allocate(entries, 3'000);
  std::set<handle> names;
  std::vector<std::uintptr_t> addresses;
  for (const handle one : handles) {
    EXPECT_NE(one, no_handle);
    EXPECT_TRUE(names.insert(one).second);
    entry_header& entry = entries[one];
    ASSERT_EQ(entries.handle_of(entry), one);
    ASSERT_EQ(entry.deadline(), INT64_MAX);
    ASSERT_EQ(entry.weight(), 1U);
    ASSERT_EQ(entry.queue, 0U);
    ASSERT_EQ(entry.flags, 0U);
    std::memset(static_cast<void*>(&entry + 1), 0xab, GetParam() - sizeof entry);
    addresses.push_back(reinterpret_cast<std::uintptr_t>(&entry));
  }
  std::ranges::sort(addresses);
  for (std::size_t i = 1; i != addresses.size(); ++i) ASSERT_GE(addresses[i] - addresses[i - 1], GetParam());
  EXPECT_EQ(entries.allocated(), 3'000u);
  EXPECT_GE(entries.bytes(), 3'000 * GetParam());
}

TEST_P(ArenaOfSize, UsesReleasedSlotsAgain) {
  arena entries(GetParam());
  const std::vector<handle> handles = allocate(entries, 500);
  const std::size_t bytes = entries.bytes();
  std::set<handle> released;
  for (std::size_t i = 0; i < handles.size(); i += 3) {
    entries[handles[i]].queue = 7;
    entries[handles[i]].flags = 1;
    entries.release(handles[i]);
    released.insert(handles[i]);
  }
  EXPECT_EQ(entries.allocated(), 500 - released.size());
  for (std::size_t i = released.size(); i != 0; --i) {
    const handle again = entries.allocate();
    EXPECT_EQ(released.erase(again), 1u);
    EXPECT_EQ(entries[again].queue, 0U);
    EXPECT_EQ(entries[again].flags, 0U);
  }
  EXPECT_EQ(entries.bytes(), bytes);
}

// 16 is the header alone; 24 and 40 do not divide the chunk; the last ones need chunks of more than 64 KiB.
INSTANTIATE_TEST_SUITE_P(Sizes, ArenaOfSize, ::testing::Values(16, 24, 32, 40, 104, 1'000, 4'096, 65'536, 100'000));

TEST(Arena, TakesNothingBeforeItMust) {
  const arena entries(64);
  EXPECT_EQ(entries.bytes(), 0u);
  EXPECT_EQ(entries.chunk_count(), 0u);
}

TEST(Arena, GivesEmptyChunksBackAndTakesThemAgain) {
  arena entries(1'024);
  std::vector<handle> handles = allocate(entries, 640);
  const std::size_t full = entries.bytes();
  const std::size_t chunks = entries.chunk_count();
  EXPECT_GE(full, 10 * chunk);
  for (const handle one : handles) entries.release(one);
  EXPECT_EQ(entries.allocated(), 0u);
  EXPECT_LT(entries.bytes(), 2 * chunk) << "one stays";
  EXPECT_TRUE(swept(entries).empty());
  handles = allocate(entries, 640);
  EXPECT_EQ(entries.bytes(), full);
  EXPECT_EQ(entries.chunk_count(), chunks) << "their numbers are used again";
  EXPECT_EQ(swept(entries).size(), 640u);
  for (const handle one : handles) ASSERT_EQ(entries.handle_of(entries[one]), one);
}

TEST(Arena, TakesWhatWasFreedLastFirst) {
  arena entries(64);
  const std::vector<handle> handles = allocate(entries, 320);
  const std::vector<handle> freed(handles.begin() + 100, handles.begin() + 110);
  for (const handle one : freed) entries.release(one);
  std::vector<handle> again = allocate(entries, freed.size());
  std::ranges::reverse(again);
  EXPECT_EQ(again, freed);
}

// What is free and waits for the next allocations holds no more than a small part of the memory.
TEST(Arena, GivesChunksBackThoughSomeEntriesStay) {
  arena entries(1'024);
  const std::vector<handle> handles = allocate(entries, 6'400);
  for (std::size_t i = handles.size(); i-- != 640;) entries.release(handles[i]);
  EXPECT_LE(entries.bytes(), 14 * chunk + 6'400) << "eleven for those that stay, and the pointers to all";
  EXPECT_EQ(swept(entries).size(), 640u);
}

TEST(Arena, GivesAllButOneChunkBackWhateverWaitsForTheNextAllocations) {
  arena entries(1'024);
  const std::vector<handle> handles = allocate(entries, 6'400);
  for (std::size_t i = 0; i < handles.size(); i += 100) entries.release(handles[i]);  // of as many chunks
  for (std::size_t i = 0; i != handles.size(); ++i) {
    if (i % 100 != 0) entries.release(handles[i]);
  }
  EXPECT_LT(entries.bytes(), 2 * chunk);
}

// A cache that lives on the edge would map and unmap with every entry.
TEST(Arena, KeepsTheLastChunkWithRoom) {
  arena entries(1'024);
  std::vector<handle> handles;
  while (entries.chunk_count() != 21) handles.push_back(entries.allocate());
  const std::size_t full = entries.bytes();
  for (std::size_t i = 0; i != 64; ++i) entries.release(handles[i]);  // wait for the next allocations
  entries.release(handles.back());
  EXPECT_EQ(entries.bytes(), full);
}

TEST(Arena, SweepsWhatIsAllocatedAndRemembersTheEarliest) {
  arena entries(1'024);
  const std::vector<handle> handles = allocate(entries, 200);
  for (std::size_t i = 0; i != entries.chunk_count(); ++i) EXPECT_EQ(entries.earliest(i), INT64_MAX);
  entries.release(handles[1]);
  for (const auto& [index, deadline] : std::map<int, std::int64_t>{{0, 50}, {2, 30}, {3, 40}, {199, 70}}) {
    entries.note_deadline(handles[index], deadline);
  }
  EXPECT_EQ(entries.earliest(0), 30);
  EXPECT_EQ(entries.earliest(entries.chunk_count() - 1), 70);
  std::vector<handle> seen = swept(entries);
  std::vector<handle> expected = handles;
  std::erase(expected, handles[1]);
  std::ranges::sort(seen);
  std::ranges::sort(expected);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(entries.earliest(0), INT64_MAX) << "as the sweep was told";
  entries.sweep(0, [&](handle which, entry_header&) { return which == handles[3] ? std::int64_t{40} : INT64_MAX; });
  EXPECT_EQ(entries.earliest(0), 40);
}

TEST(Arena, AChunkThatComesAgainHasNoDeadline) {
  arena entries(1'024);
  const std::vector<handle> handles = allocate(entries, 200);
  for (const handle one : handles) entries.note_deadline(one, 10);
  for (const handle one : handles) entries.release(one);
  int kept = 0;
  for (std::size_t i = 0; i != entries.chunk_count(); ++i) kept += entries.earliest(i) == 10 ? 1 : 0;
  EXPECT_LE(kept, 1);
  allocate(entries, 200);
  kept = 0;
  for (std::size_t i = 0; i != entries.chunk_count(); ++i) kept += entries.earliest(i) == 10 ? 1 : 0;
  EXPECT_LE(kept, 1);
}

TEST(Arena, AgreesWithAModelThroughUpsAndDowns) {
  for (const std::size_t size : {16, 88, 2'000}) {
    random_source random(size);
    arena entries(size);
    std::map<handle, std::uint32_t> model;
    std::size_t aim = 2'000;
    for (int i = 0; i != 30'000; ++i) {
      if (i % 5'000 == 0) aim = random.next() % 3'000;
      const bool up = model.empty() || (model.size() < aim ? random.next() % 4 != 0 : random.next() % 4 == 0);
      if (up) {
        const handle fresh = entries.allocate();
        entries[fresh].hash = static_cast<std::uint32_t>(i);
        ASSERT_TRUE(model.emplace(fresh, i).second) << "given out twice";
      } else {
        auto chosen = model.lower_bound(static_cast<handle>(random.next() % (model.rbegin()->first + 1)));
        ASSERT_EQ(entries[chosen->first].hash, chosen->second);
        entries.release(chosen->first);
        model.erase(chosen);
      }
    }
    ASSERT_EQ(entries.allocated(), model.size());
    for (const auto& [which, number] : model) ASSERT_EQ(entries[which].hash, number);
    EXPECT_EQ(swept(entries).size(), model.size());
  }
}

}  // namespace
}  // namespace seawall::eviction
