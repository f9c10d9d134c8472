#include "local_log.hpp"

#include "local_log_files.hpp"
#include "test_disk.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace seawall::source {
namespace {

// A user of the log who writes down what it was promised.
class writer {
 public:
  explicit writer(std::shared_ptr<test_disk> disk, sync policy = sync::group)
      : disk_(std::move(disk)), how_{.directory = "log", .sync = policy, .segment_bytes = 700} {}

  // What opening finds must be what was acknowledged, in order, and nothing that was never written.
  result<void> open() {
    log_.reset();
    std::map<std::uint64_t, std::string> seen;
    auto opened = local_log::open(disk_, "t", how_, [&](const log_record& record) {
      EXPECT_TRUE(seen.empty() || record.sequence > seen.rbegin()->first);
      seen[record.sequence] = fmt::format("{}={}", record.key, record.value);
    });
    if (!opened) return std::unexpected(opened.error());
    log_ = *std::move(opened);
    for (const auto& [sequence, text] : acknowledged_) {
      EXPECT_TRUE(sequence <= checkpointed_ || seen[sequence] == text) << "operation " << sequence << " is lost";
    }
    for (const auto& [sequence, text] : seen) {
      EXPECT_TRUE(written_[sequence].contains(text)) << sequence << " is '" << text << "', which nobody wrote";
    }
    acknowledged_.insert(seen.begin(), seen.end());
    next_ = log_->recovery().last + 1;
    EXPECT_TRUE(acknowledged_.empty() || next_ > acknowledged_.rbegin()->first);
    return {};
  }

  result<void> commit(std::size_t count, bool durable = true) {
    std::string records;
    std::map<std::uint64_t, std::string> group;
    const std::uint64_t first = next_;
    for (std::size_t i = 0; i != count; ++i, ++next_) {
      const std::string key = fmt::format("k{}", next_ % 3);
      const std::string value = fmt::format("v{}", ++values_);
      append_record(records, {.sequence = next_, .durable = log_->durable(), .key = key, .value = value});
      group[next_] = key + '=' + value;
      written_[next_].insert(group[next_]);
    }
    auto done = log_->commit(records, first, next_ - 1, durable);
    if (done) acknowledged_.insert(group.begin(), group.end());
    else next_ = first;
    return done;
  }

  result<void> checkpoint(std::uint64_t applied) {
    checkpointed_ = std::max(checkpointed_, applied);  // even a failed one may have come through
    return log_->checkpoint(applied);
  }

  local_log& log() { return *log_; }
  write_log_options& how() { return how_; }
  void close() { log_.reset(); }
  std::uint64_t last() const { return acknowledged_.empty() ? 0 : acknowledged_.rbegin()->first; }

 private:
  std::shared_ptr<test_disk> disk_;
  write_log_options how_;
  std::optional<local_log> log_;
  std::uint64_t next_ = 1;
  std::uint64_t checkpointed_ = 0;
  int values_ = 0;
  std::map<std::uint64_t, std::set<std::string>> written_;
  std::map<std::uint64_t, std::string> acknowledged_;
};

// Enough for several segments, checkpoints that free some, and an opening in the middle.
void play(writer& user) {
  if (!user.open()) return;
  for (std::size_t step = 0; step != 14; ++step) {
    (void)user.commit(1 + step % 4);
    if (step % 5 == 4) (void)user.checkpoint(user.last() - 2);
    if (step == 8 && !user.open()) return;
  }
}

std::string path(std::uint64_t number) { return "log/" + segment_name(number); }

TEST(LocalLog, FindsWhatWasAcknowledgedWhereverThePowerFails) {
  auto whole = std::make_shared<test_disk>();
  writer undisturbed{whole};
  play(undisturbed);
  ASSERT_GT(whole->changes(), 50U);
  random_source random{7};
  for (std::size_t at = 0; at <= whole->changes(); ++at) {
    for (int round = 0; round != 4; ++round) {
      auto disk = std::make_shared<test_disk>();
      disk->off_at = at;
      writer user{disk};
      play(user);
      user.close();
      disk->lose_power(random);
      auto opened = user.open();
      ASSERT_TRUE(opened) << at << ": " << opened.error().message();
      ASSERT_TRUE(user.commit(2)) << at;
      user.close();
      disk->lose_power(random);
      ASSERT_TRUE(user.open()) << at;
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(LocalLog, FindsWhatWasAcknowledgedWhereverTheProcessEnds) {
  for (const sync policy : {sync::group, sync::interval, sync::never}) {
    for (std::size_t at = 0; at != 90; ++at) {
      auto disk = std::make_shared<test_disk>();
      disk->off_at = at;
      writer user{disk, policy};
      play(user);
      user.close();
      disk->restart();
      auto opened = user.open();
      ASSERT_TRUE(opened) << at << ": " << opened.error().message();
      ASSERT_TRUE(user.commit(2, false));
      if (testing::Test::HasFailure()) return;
    }
  }
}

RC_GTEST_PROP(LocalLog, LosesNothingToFullDisksAndFailedSyncs, (std::uint64_t seed)) {
  random_source random{seed};
  auto disk = std::make_shared<test_disk>();
  std::uint64_t odds = 0;  // of 100
  disk->fault = [&](disk_operation what, const std::string&) {
    if (what == disk_operation::remove || random.next() % 100 >= odds) return 0;
    return what == disk_operation::append && random.next() % 2 == 0 ? ENOSPC : EIO;
  };
  writer user{disk};
  RC_ASSERT(user.open().has_value());
  for (int step = 0; step != 30; ++step) {
    odds = random.next() % 3 == 0 ? 40 : 0;
    const auto dice = random.next() % 10;
    if (dice < 7) {
      const auto done = user.commit(1 + random.next() % 4);
      RC_ASSERT(done || odds != 0);  // it recovers as soon as the disk does
    } else if (dice == 7 && user.last() != 0) {
      (void)user.checkpoint(user.last() - random.next() % 16);
    } else {
      odds = 0;
      if (dice == 8) {
        user.close();
        disk->lose_power(random);
      }
      const auto opened = user.open();
      if (!opened) RC_FAIL(opened.error().message());
    }
    RC_ASSERT(!testing::Test::HasFailure());
  }
}

TEST(LocalLog, TrustsNoFileWhoseSyncHasFailed) {
  auto disk = std::make_shared<test_disk>();
  writer user{disk};
  ASSERT_TRUE(user.open());
  ASSERT_TRUE(user.commit(2));
  int failures = 1;
  disk->fault = [&](disk_operation what, const std::string&) {
    return what == disk_operation::sync && failures-- > 0 ? EIO : 0;
  };
  ASSERT_TRUE(user.commit(2)) << "the next file takes what the failed one had";
  EXPECT_EQ(user.log().segments(), 2U);
  EXPECT_EQ(user.log().failed_syncs(), 1U);
  failures = 2;
  const auto refused = user.commit(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), boost::system::errc::io_error);
  EXPECT_THAT(refused.error().message(), testing::HasSubstr("log/segment-"));
  for (failures = 100; failures > 90;) ASSERT_FALSE(user.commit(1));
  EXPECT_LE(user.log().segments(), 3U) << "one copy of what is not durable, not one for each attempt";
  failures = 0;
  ASSERT_TRUE(user.commit(1));
  random_source random{1};
  user.close();
  disk->lose_power(random);
  ASSERT_TRUE(user.open());
}

TEST(LocalLog, SyncsLaterWhatWasAcknowledgedWithoutASync) {
  auto disk = std::make_shared<test_disk>();
  writer user{disk, sync::interval};
  ASSERT_TRUE(user.open());
  ASSERT_TRUE(user.commit(2, false));
  EXPECT_TRUE(user.log().has_unsynced());
  int failures = 2;
  disk->fault = [&](disk_operation what, const std::string&) {
    return what == disk_operation::sync && failures-- > 0 ? EIO : 0;
  };
  ASSERT_FALSE(user.log().sync());
  EXPECT_TRUE(user.log().has_unsynced()) << "kept for the next file";
  ASSERT_TRUE(user.commit(1, false));
  ASSERT_TRUE(user.log().sync());
  random_source random{3};
  user.close();
  disk->lose_power(random);
  ASSERT_TRUE(user.open());
}

TEST(LocalLog, RemovesSegmentsThatHaveBeenApplied) {
  auto disk = std::make_shared<test_disk>();
  writer user{disk};
  ASSERT_TRUE(user.open());
  while (user.log().segments() < 4) ASSERT_TRUE(user.commit(3));
  ASSERT_TRUE(user.checkpoint(3));
  EXPECT_EQ(user.log().segments(), 4U);
  ASSERT_TRUE(user.checkpoint(user.last()));
  EXPECT_EQ(user.log().segments(), 1U);
  EXPECT_EQ(disk->content(path(1)), nullptr);
  ASSERT_TRUE(user.open());
  EXPECT_EQ(user.log().recovery().records, 0U);
  EXPECT_GT(user.log().recovery().last, user.last()) << "sequences go on";
}

TEST(LocalLog, LeavesOutSequencesThatACrashMayHaveTaken) {
  for (const sync policy : {sync::never, sync::group}) {  // which may be another one than that of the crash
    auto disk = std::make_shared<test_disk>();
    writer user{disk, policy};
    for (int round = 1; round != 4; ++round) {
      ASSERT_TRUE(user.open());
      ASSERT_TRUE(user.commit(1));
      EXPECT_GE(user.last(), static_cast<std::uint64_t>(round) << 32);
    }
  }
}

TEST(LocalLog, BeginsWhereTheCallerSaysOrBehindWhatItHas) {
  auto disk = std::make_shared<test_disk>();
  constexpr std::uint64_t year = std::uint64_t{1} << 50;
  const auto last = [&](std::uint64_t least) {
    const auto opened = local_log::open(disk, "t", {.directory = "log"}, [](const log_record&) {}, least);
    return opened ? opened->recovery().last : 0;
  };
  EXPECT_EQ(last(year), year) << "of a directory that is new, though rows have versions";
  EXPECT_EQ(last(year + 7), year + 7);
  EXPECT_GT(last(year - 7), year + 7) << "the clock went back";
}

struct damage {
  std::string_view what;
  std::function<void(test_disk&, std::string& first, std::string& last)> make;
  std::string_view message;
  std::uint64_t lost;
};

TEST(LocalLog, NamesTheDamageAndGoesOnWithTheRestWhenTold) {
  const std::size_t record = record_header + 4;
  const std::size_t begin = segment_header_size + record_header + 1;  // of the first segment, behind a gap from 1 on
  const std::vector<damage> table = {
      {"a bit in the middle", [&](auto&, auto& first, auto&) { first[begin + record + 33] ^= 4; },
       "segment-00000000000000000001.log' has no readable record at offset 325, where operation 4294967298 was", 1},
      {"a bit in the last file, and later ones say it had been durable",
       [&](auto&, auto&, auto& last) { last[segment_header_size + 33] ^= 4; },
       "has no readable record at offset 256", 1},
      {"a header", [](auto&, auto& first, auto&) { first[20] ^= 1; }, "are missing before '", 0},
      {"the end of a file in the middle", [](auto&, auto& first, auto&) { first.resize(first.size() - 5); },
       "has no readable record at offset", 1},
      {"the checkpoint", [](auto& disk, auto&, auto&) { (*disk.content("log/checkpoint"))[9] ^= 1; },
       "'log/checkpoint' is no checkpoint", 0},
  };
  for (const damage& row : table) {
    auto disk = std::make_shared<test_disk>();
    writer user{disk};
    ASSERT_TRUE(user.open());
    ASSERT_TRUE(user.commit(3));
    ASSERT_TRUE(user.checkpoint(user.last() - 2));
    while (user.log().segments() < 3) ASSERT_TRUE(user.commit(1));
    ASSERT_TRUE(user.commit(1));
    ASSERT_TRUE(user.commit(1));
    user.close();
    row.make(*disk, *disk->content(path(1)), *disk->content(path(3)));
    const auto refused = user.open();
    ASSERT_FALSE(refused) << row.what;
    EXPECT_THAT(refused.error().message(), testing::HasSubstr(row.message)) << row.what;
    EXPECT_THAT(refused.error().message(), testing::HasSubstr("log.repair")) << row.what;

    write_log_options how = user.how();
    how.repair = true;
    std::vector<std::uint64_t> read;
    auto repaired = local_log::open(disk, "t", how, [&](const log_record& at) { read.push_back(at.sequence); });
    ASSERT_TRUE(repaired) << row.what << ": " << repaired.error().message();
    EXPECT_EQ(repaired->recovery().lost_records, row.lost) << row.what;
    EXPECT_GT(repaired->recovery().last, user.last()) << row.what;
    EXPECT_GE(read.size(), (user.last() & 0xffff) - 1 - row.lost) << row.what;
    EXPECT_EQ(repaired->recovery().damaged.size(), 1U) << row.what;
    const auto paths = disk->paths();
    EXPECT_EQ(std::ranges::count_if(paths, [](const auto& file) { return file.ends_with(damaged_suffix); }), 1);
  }
}

TEST(LocalLog, DamageToWhatHasBeenAppliedCostsNothing) {
  auto disk = std::make_shared<test_disk>();
  writer user{disk};
  ASSERT_TRUE(user.open());
  ASSERT_TRUE(user.commit(6));
  ASSERT_TRUE(user.checkpoint(user.last() - 2));
  user.close();
  const std::size_t begin = segment_header_size + record_header + 1;
  (*disk->content(path(1)))[begin + 2 * (record_header + 4) + 3] ^= 1;
  ASSERT_TRUE(user.open());
  EXPECT_EQ(user.log().recovery().records, 2U);
  EXPECT_EQ(user.log().recovery().torn_bytes, 0U);
}

TEST(LocalLog, AfterACleanEndDamageIsNoTornWrite) {
  for (const bool clean : {false, true}) {
    auto disk = std::make_shared<test_disk>();
    writer user{disk};
    ASSERT_TRUE(user.open());
    ASSERT_TRUE(user.commit(2));
    if (clean) {
      ASSERT_TRUE(user.log().finish(0));
    }
    user.close();
    disk->content(path(1))->back() ^= 1;
    const auto opened = local_log::open(disk, "t", user.how(), [](const log_record&) {});
    EXPECT_EQ(opened.has_value(), !clean);
    if (opened) continue;
    EXPECT_THAT(opened.error().message(), testing::HasSubstr("has no readable record at offset"));
  }
}

TEST(LocalLog, ALastFileThatIsGoneIsDamage) {
  auto disk = std::make_shared<test_disk>();
  writer user{disk};
  ASSERT_TRUE(user.open());
  ASSERT_TRUE(user.commit(2));
  ASSERT_TRUE(user.log().finish(0));
  user.close();
  ASSERT_TRUE(disk->remove(path(1)));
  const auto ignore = [](const log_record&) {};
  const auto opened = local_log::open(disk, "t", user.how(), ignore);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message(), testing::HasSubstr("ends before operation"));
  user.how().repair = true;
  const auto repaired = local_log::open(disk, "t", user.how(), ignore);
  ASSERT_TRUE(repaired);
  EXPECT_EQ(repaired->recovery().lost_records, user.last()) << "with what was before the first";
}

// Wherever a repair ends, a later opening has what can be read, and the damaged file is there.
TEST(LocalLog, ARepairThatIsCutOffKeepsTheDamagedFile) {
  for (std::size_t at = 0; at != 12; ++at) {
    auto disk = std::make_shared<test_disk>();
    writer user{disk};
    ASSERT_TRUE(user.open());
    ASSERT_TRUE(user.commit(3));
    ASSERT_TRUE(user.commit(1));
    user.close();
    (*disk->content(path(1)))[segment_header_size + record_header + 1 + 40] ^= 1;
    const std::string damaged = *disk->content(path(1));
    write_log_options how = user.how();
    how.repair = true;
    disk->off_at = disk->changes() + at;
    std::size_t read = 0;
    (void)local_log::open(disk, "t", how, [&](const log_record&) {});
    disk->restart();
    ASSERT_TRUE(local_log::open(disk, "t", how, [&](const log_record&) { ++read; })) << at;
    EXPECT_EQ(read, 3U) << at;
    const std::string* kept = disk->content(path(1) + std::string{damaged_suffix});
    EXPECT_TRUE(kept != nullptr && *kept == damaged) << at;
  }
}

TEST(LocalLog, RefusesTheLogOfAnother) {
  auto disk = std::make_shared<test_disk>();
  const write_log_options how{.directory = "log"};
  const auto ignore = [](const log_record&) {};
  ASSERT_TRUE(local_log::open(disk, "orders", how, ignore));
  const auto other = local_log::open(disk, "products", how, ignore);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message(), testing::HasSubstr("belongs to the write-behind 'orders', not to 'products'"));
  std::string later = write_header({.version = 2, .number = 9, .first = 1, .name = "orders"});
  ASSERT_TRUE((*disk->create(path(9)))->append(later));
  const auto newer = local_log::open(disk, "orders", how, ignore);
  ASSERT_FALSE(newer);
  EXPECT_THAT(newer.error().message(), testing::HasSubstr("has format 2, this program reads up to 1"));
}

}  // namespace
}  // namespace seawall::source
