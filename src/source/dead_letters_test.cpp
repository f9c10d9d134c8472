#include "dead_letters.hpp"

#include "test_disk.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace seawall::source {
namespace {

stored_letter letter(std::uint64_t sequence, bool removed = false) {
  const std::string value = removed ? "" : fmt::format("v{}", sequence);
  return {.operation = std::make_shared<stored_operation>(
              stored_operation{.sequence = sequence, .removed = removed, .key = "k", .value = value}),
          .reason = fmt::format("reason {}", sequence),
          .attempts = static_cast<unsigned>(sequence),
          .at = std::chrono::system_clock::time_point{std::chrono::milliseconds{1000 + sequence}}};
}

std::set<std::uint64_t> sequences(const dead_letters& letters) {
  std::set<std::uint64_t> all;
  for (const auto& each : letters.list()) all.insert(each.operation->sequence);
  return all;
}

TEST(DeadLetters, AreTheSameAfterOpening) {
  auto disk = std::make_shared<test_disk>();
  {
    auto letters = *dead_letters::open(disk, "log", 0);
    ASSERT_TRUE(letters.add(letter(3)));
    ASSERT_TRUE(letters.add(letter(5, true)));
    ASSERT_TRUE(letters.add(letter(9)));
    ASSERT_TRUE(letters.remove(9));
    ASSERT_TRUE(letters.remove(77));
  }
  const auto letters = *dead_letters::open(disk, "log", 0);
  EXPECT_EQ(sequences(letters), (std::set<std::uint64_t>{3, 5}));
  const stored_letter& first = *letters.find(3);
  EXPECT_EQ(first.operation->key, "k");
  EXPECT_EQ(first.operation->value, "v3");
  EXPECT_EQ(first.reason, "reason 3");
  EXPECT_EQ(first.attempts, 3U);
  EXPECT_EQ(first.at, letter(3).at);
  EXPECT_TRUE(letters.find(5)->operation->removed);
}

// Wherever the power fails: what was kept is there, what was removed is not, and of the call that failed either.
TEST(DeadLetters, SurviveTheLossOfPower) {
  random_source random{5};
  for (std::size_t at = 0; at != 24; ++at) {
    auto disk = std::make_shared<test_disk>();
    disk->off_at = at;
    std::set<std::uint64_t> kept;
    std::set<std::uint64_t> unknown;
    if (auto letters = dead_letters::open(disk, "log", 0)) {
      for (std::uint64_t sequence = 1; sequence != 8; ++sequence) {
        (letters->add(letter(sequence)) ? kept : unknown).insert(sequence);
        if (sequence % 3 != 0) continue;
        kept.erase(sequence - 1);
        if (!letters->remove(sequence - 1)) unknown.insert(sequence - 1);
      }
    }
    disk->lose_power(random);
    const auto opened = dead_letters::open(disk, "log", 0);
    ASSERT_TRUE(opened) << at;
    const auto found = sequences(*opened);
    for (const std::uint64_t sequence : kept) EXPECT_TRUE(found.contains(sequence)) << at << ": " << sequence;
    for (const std::uint64_t sequence : found) {
      EXPECT_TRUE(kept.contains(sequence) || unknown.contains(sequence)) << at << ": " << sequence;
    }
  }
}

TEST(DeadLetters, TrustNoFileWhoseSyncHasFailed) {
  auto disk = std::make_shared<test_disk>();
  auto letters = *dead_letters::open(disk, "log", 0);
  ASSERT_TRUE(letters.add(letter(1)));
  int failures = 1;
  disk->fault = [&](disk_operation what, const std::string&) {
    return what == disk_operation::sync && failures-- > 0 ? EIO : 0;
  };
  const auto refused = letters.add(letter(2));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), testing::HasSubstr("log/dead-letters.log"));
  EXPECT_EQ(letters.size(), 1U) << "it stays in the queue";
  ASSERT_TRUE(letters.add(letter(3)));
  random_source random{1};
  disk->lose_power(random);
  const auto found = sequences(*dead_letters::open(disk, "log", 0));
  EXPECT_TRUE(found.contains(1) && found.contains(3));
}

TEST(DeadLetters, KeepAFileWithDamage) {
  auto disk = std::make_shared<test_disk>();
  {
    auto letters = *dead_letters::open(disk, "log", 0);
    for (std::uint64_t sequence = 1; sequence != 4; ++sequence) ASSERT_TRUE(letters.add(letter(sequence)));
  }
  std::string& bytes = *disk->content("log/dead-letters.log");
  bytes[bytes.size() / 2] ^= 1;
  EXPECT_EQ(sequences(*dead_letters::open(disk, "log", 0)), (std::set<std::uint64_t>{1, 3}));
  EXPECT_NE(disk->content("log/dead-letters.log.damaged"), nullptr);
}

TEST(DeadLetters, RememberThoseThatWereRemovedWhileTheLogMayHaveThem) {
  auto disk = std::make_shared<test_disk>();
  {
    auto letters = *dead_letters::open(disk, "log", 0);
    for (const std::uint64_t sequence : {3, 5, 9}) ASSERT_TRUE(letters.add(letter(sequence)));
    ASSERT_TRUE(letters.remove(5));
    ASSERT_TRUE(letters.remove(9));
  }
  using last_of_keys = std::unordered_map<std::string, std::uint64_t>;
  struct row {
    std::uint64_t applied, last;
  };
  for (const auto [applied, last] : {row{0, 9}, row{8, 9}, row{9, 3}, row{0, 3}}) {
    const auto letters = *dead_letters::open(disk, "log", applied);
    EXPECT_EQ(letters.last_of_keys(), (last_of_keys{{"k", last}})) << "applied up to " << applied;
    EXPECT_EQ(sequences(letters), (std::set<std::uint64_t>{3}));
  }
}

}  // namespace
}  // namespace seawall::source
