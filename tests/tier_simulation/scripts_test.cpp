// The tier's Lua programs one by one: what is there, what a program answers, what is there afterwards.
#include "scripts.hpp"

#include "entry_format.hpp"
#include "plain_scripts.hpp"
#include "sim_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace simulation {
namespace {

using namespace seawall::tier;
using seawall::tier_nonce;
using words = std::vector<std::string>;

constexpr tier_nonce mine{.high = 1, .low = 1};
constexpr tier_nonce others{.high = 2, .low = 2};
constexpr std::uint64_t now_reign = 10;
constexpr std::uint64_t earlier_reign = 9;
const std::string nothing;
const std::string foreign = "what another program has left here, longer than a header";

std::string lease(tier_nonce nonce, std::uint64_t reign = now_reign, std::uint64_t floor = 0) {
  return encode_lease(nonce, reign, floor);
}
std::string entry(tier_nonce nonce, std::uint64_t version = 0, std::uint64_t reign = now_reign) {
  return encode_entry({.version = version, .payload = "value"}, nonce, reign, 0, {});
}
std::string tombstone(tier_nonce nonce, std::uint64_t floor = 0) {
  return encode_header({.kind = stored_kind::tombstone, .nonce = nonce, .reign = now_reign, .version = floor});
}
std::string bytes(tier_nonce nonce) { return lease(nonce).substr(nonce_at, nonce_size); }

class server {
 public:
  reply run(const words& command) {
    const std::vector<std::string_view> views{command.begin(), command.end()};
    return node.execute(*client, views);
  }
  reply run(const seawall::cmd::script& what, const std::string& key, const words& values) {
    words command{"EVAL", what.source(), "1", key};
    command.insert(command.end(), values.begin(), values.end());
    return run(command);
  }
  /// A program for plain keys: the key, its lease, the record of the reign.
  std::int64_t run_plain(const seawall::cmd::script& what, const words& values) {
    words command{"EVAL", what.source(), "3", "k", "lease", "reign"};
    command.insert(command.end(), values.begin(), values.end());
    return run(command).number;
  }
  std::string at(const std::string& key) { return run({"GET", key}).text; }

  chance draws{1};
  std::int64_t now_ms = 1'700'000'000'000;
  sim_node node{draws, now_ms};
  std::shared_ptr<sim_connection> client = std::make_shared<sim_connection>();
};

struct row {
  std::string what;
  std::string before;
  words values;
  std::int64_t answer;
  std::string after;
};

void check(const seawall::cmd::script& program, const std::vector<row>& table) {
  for (const row& one : table) {
    server here;
    if (!one.before.empty()) here.run({"SET", "k", one.before});
    EXPECT_EQ(here.run(program, "k", one.values).number, one.answer) << one.what;
    EXPECT_EQ(here.at("k"), one.after) << one.what;
  }
}

// A fill with a life of its own has a shorter way where it meets the very lease.
constexpr std::array lives{"0", "1000"};

TEST(Scripts, AFillNeedsItsOwnLeaseOfItsOwnReign) {
  const std::string filled = entry(others);
  for (const char* const life : lives) {
    const auto fill = [&](const char* what, std::string before, std::int64_t answer) {
      const std::string after = answer == 1 ? filled : before;
      return row{what, std::move(before), {lease(mine), filled, life}, answer, after};
    };
    check(fill_script(), {
                             fill("its lease", lease(mine), 1),
                             fill("another's lease", lease(others), 0),
                             fill("its lease, brought back by a restart", lease(mine, earlier_reign), 0),
                             fill("nothing", nothing, 0),
                             fill("a tombstone with its nonce", tombstone(mine), 0),
                             fill("something foreign", foreign, 0),
                             fill("the entry that it refreshes", entry(mine), 1),
                             fill("an entry of another write", entry(others, 1), 0),
                             fill("a lease whose floor was raised", lease(mine, now_reign, 5), -1),
                         });
  }
}

TEST(Scripts, AFillIsNotOlderThanWhatItReplaces) {
  for (const char* const life : lives) {
    const auto fill = [&](const char* what, std::string before, std::uint64_t version, std::int64_t answer) {
      std::string filled = entry(others, version);
      const std::string after = answer == 1 ? filled : before;
      return row{what, std::move(before), {lease(mine), std::move(filled), life}, answer, after};
    };
    check(fill_script(), {
                             fill("no floor", lease(mine), 4, 1),
                             fill("a floor below", lease(mine, now_reign, 5), 6, 1),
                             fill("the floor itself", lease(mine, now_reign, 5), 5, 1),
                             fill("a floor above", lease(mine, now_reign, 5), 4, -1),
                             fill("a floor above in the last byte alone", lease(mine, now_reign, 0x201), 0x200, -1),
                             fill("an older entry", entry(mine, 5), 6, 1),
                             fill("a newer entry", entry(mine, 5), 4, -1),
                             fill("without a version", entry(mine, 5), 0, 1),
                         });
  }
}

TEST(Scripts, ATakeoverReplacesWhatWasSeenAndKeepsItsFloor) {
  const auto take = [&](const char* what, const std::string& before, const std::string& seen, std::int64_t answer,
                        const std::string& after) {
    return row{what, before, {seen.substr(0, header_size), lease(mine), "1000"}, answer, after};
  };
  check(takeover_script(),
        {
            take("an earlier reign", entry(others, 0, earlier_reign), entry(others, 0, earlier_reign), 1, lease(mine)),
            take("with a version", entry(others, 7), entry(others, 7), 1, lease(mine, now_reign, 7)),
            take("something foreign", foreign, foreign, 1, lease(mine)),
            take("what came meanwhile", lease(others), entry(others), 0, lease(others)),
            take("what has gone meanwhile", nothing, entry(others), 0, nothing),
        });
}

TEST(Scripts, APutReplacesWhatIsOlderAndCreatesNothing) {
  const std::string five = entry(mine, 5);
  const auto put = [&](const char* what, const std::string& before, std::int64_t answer, const std::string& after) {
    return row{what, before, {five, "0"}, answer, after};
  };
  const std::string six = lease(others, now_reign, 6);
  check(put_script(), {
                          put("nothing", nothing, 0, nothing),
                          put("an older entry", entry(others, 4), 1, five),
                          put("the same version", entry(others, 5), 0, entry(others, 5)),
                          put("a newer entry", entry(others, 6), 0, entry(others, 6)),
                          put("an entry without a version", entry(others), 0, nothing),
                          put("an entry of another reign", entry(others, 4, earlier_reign), 0, nothing),
                          put("something foreign", foreign, 0, nothing),
                          put("a lease", lease(others), 0, lease(others, now_reign, 5)),
                          put("a lease with a higher floor", six, 0, six),
                          put("a tombstone", tombstone(others), 0, tombstone(others, 5)),
                      });
}

// A server that is no primary does not know that there is nothing to replace: the put must not count as delivered.
TEST(Scripts, APutIsRefusedByAReplicaThatHasNothing) {
  server primary;
  server replica;
  replica.node.follow(primary.node);
  const reply said = replica.run(put_script(), "key", {entry(mine, 5), "0"});
  EXPECT_EQ(said.kind, reply::is::failure);
  EXPECT_THAT(said.text, ::testing::HasSubstr("READONLY"));
}

// Or the leaseholder would store what is older than the put.
TEST(Scripts, APutEndsALeaseWhoseFloorItCannotRaise) {
  server here;
  here.run({"SET", "k", lease(others)});
  here.node.out_of_memory = true;
  EXPECT_EQ(here.run(put_script(), "k", {entry(mine, 5), "0"}).number, 0);
  EXPECT_EQ(here.at("k"), nothing);
}

TEST(Scripts, AReleaseTakesItsLeaseOnly) {
  const auto release = [&](const char* what, const std::string& before, std::int64_t answer) {
    return row{what, before, {bytes(mine)}, answer, answer == 1 ? nothing : before};
  };
  check(release_script(), {
                              release("its lease", lease(mine), 1),
                              release("another's lease", lease(others), 0),
                              release("an entry with its nonce", entry(mine), 0),
                              release("nothing", nothing, 0),
                          });
}

TEST(Scripts, AnUnlockTakesItsLockOnly) {
  check(unlock_script(), {
                             {"its lock", "mine", {"mine"}, 1, nothing},
                             {"another's lock", "others", {"mine"}, 0, "others"},
                             {"nothing", nothing, {"mine"}, 0, nothing},
                         });
}

// --- plain values ---------------------------------------------------------------------------------------------------

constexpr std::string_view this_reign = "RRRRRRRR";

std::int64_t claim_plain(server& at, tier_nonce nonce, const char* replaces = "0", tier_nonce earlier = {}) {
  return at.run_plain(plain_claim_script(), {bytes(nonce) + std::string{this_reign}, "1000", replaces, bytes(earlier)});
}

TEST(Scripts, APlainFillNeedsItsLeaseItsReignAndWhatItSaw) {
  struct step {
    std::string what;
    std::string seen;     // when the lease is taken
    words meanwhile;      // a command
    std::int64_t answer;
    std::string after;
    bool ends_lease = true;
  };
  const std::string of_others = bytes(others) + std::string{this_reign};
  const std::vector<step> table{
      {"nothing", nothing, {"GET", "k"}, 1, "filled"},
      {"what it saw", "old", {"GET", "k"}, 1, "filled"},
      {"what came meanwhile", nothing, {"SET", "k", "came"}, 0, "came"},
      {"another value than it saw", "old", {"SET", "k", "came"}, 0, "came"},
      {"nothing, where it saw a value", "old", {"DEL", "k"}, 0, nothing},
      {"an earlier reign", nothing, {"SET", "reign", "SSSSSSSS and more"}, 0, nothing},
      {"no lease any more", nothing, {"DEL", "lease"}, 0, nothing},
      {"another's lease", nothing, {"SET", "lease", of_others}, 0, nothing, false},
  };
  for (const step& one : table) {
    server here;
    here.run({"SET", "reign", std::string{this_reign} + " and more"});
    if (!one.seen.empty()) here.run({"SET", "k", one.seen});
    ASSERT_EQ(claim_plain(here, mine, one.seen.empty() ? "0" : "1"), 1) << one.what;
    here.run(one.meanwhile);
    EXPECT_EQ(here.run_plain(plain_fill_script(), {bytes(mine), "filled", "0"}), one.answer) << one.what;
    EXPECT_EQ(here.at("k"), one.after) << one.what;
    EXPECT_EQ(here.at("lease").empty(), one.ends_lease) << one.what;
  }
}

TEST(Scripts, APlainClaimTakesWhatNobodyHasOrTheCallerHasAlready) {
  server here;
  EXPECT_EQ(claim_plain(here, others), 1);
  EXPECT_EQ(claim_plain(here, mine), 0);
  EXPECT_EQ(claim_plain(here, mine, "0", others), 1) << "its own, of which it had no answer";
  EXPECT_THAT(here.at("lease"), ::testing::StartsWith(bytes(mine)));
  here.run({"DEL", "lease"});
  here.run({"SET", "k", "value"});
  EXPECT_EQ(claim_plain(here, mine), 0) << "there is a value";
  EXPECT_EQ(claim_plain(here, mine, "1"), 1) << "which may be replaced";
}

TEST(Scripts, APlainReleaseTakesItsLeaseOnly) {
  check(plain_release_script(), {
                                    {"its lease", lease(mine).substr(nonce_at), {bytes(mine)}, 1, nothing},
                                    {"another's lease", bytes(others), {bytes(mine)}, 0, bytes(others)},
                                    {"nothing", nothing, {bytes(mine)}, 0, nothing},
                                });
}

// --- reigns ---------------------------------------------------------------------------------------------------------

std::string beat(server& at, const std::string& next) {
  const reply came = at.run(beat_script(), "reign", {std::string(8, next[0]), ""});
  return came.kind == reply::is::list ? came.items[0].text.substr(0, 1) : came.text.substr(0, came.text.find(' '));
}

TEST(Scripts, AReignGoesOnWhileItsProcessDoes) {
  server here;
  EXPECT_EQ(beat(here, "A"), "A") << "the first";
  EXPECT_EQ(beat(here, "B"), "A");
  here.run({"DEL", "reign"});
  EXPECT_EQ(beat(here, "C"), "C") << "its record is gone";
  here.node.start(sim_node::data{here.node.keys()});
  EXPECT_EQ(beat(here, "D"), "D") << "the process began anew, with the data of before";
  EXPECT_EQ(beat(here, "E"), "D");
}

TEST(Scripts, AReplicaHasNoReignAndBeginsOneAsPrimary) {
  server here;
  sim_node first{here.draws, here.now_ms};
  here.node.follow(first);
  EXPECT_EQ(beat(here, "A"), "READONLY");
  here.node.promote();
  EXPECT_EQ(beat(here, "B"), "B");
  here.node.follow(first);
  here.node.copy(first);
  here.node.promote();
  EXPECT_EQ(beat(here, "C"), "C") << "a record of its own is gone with the data of the other primary";
}

TEST(Scripts, APrimaryThatWasAReplicaMeanwhileBeginsAnotherReign) {
  server here;
  EXPECT_EQ(beat(here, "A"), "A");
  sim_node other{here.draws, here.now_ms};
  other.follow(here.node);
  other.promote();
  here.node.follow(other);  // with the record that it has written itself
  here.node.promote();
  EXPECT_EQ(beat(here, "B"), "B");
}

}  // namespace
}  // namespace simulation
