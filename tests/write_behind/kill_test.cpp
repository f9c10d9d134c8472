// What a write-behind has acknowledged is in the database, once and in order, however often its process is killed.
//   SEAWALL_KILLS=1000    how many kills; SEAWALL_SEED: which random points
// With kills of PostgreSQL, too: ./dev chaos --scenario write-behind
#include "ledger.hpp"
#include "rows.hpp"
#include "victim_process.hpp"

#include "seawall/base/random.hpp"
#include "servers/temp_dir.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

namespace kills {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  return std::getenv(name) ? std::strtoull(std::getenv(name), nullptr, 10) : otherwise;
}

struct WriteBehindKilled : testing::Test {
  void SetUp() override { ASSERT_TRUE(make_tables(*db)); }

  // Some die while they open their log, most while they write.
  void kill_one(std::uint64_t round, const char* level) {
    victim_process one{{SEAWALL_VICTIM, rows, log, std::to_string(round), level}};
    const std::uint64_t lines = random.next() % 8 == 0 ? 0 : random.next() % 400;
    for (std::uint64_t i = 0; i != lines; ++i) known.note(one.line());
    one.kill();
    for (std::string left = one.line(); !left.empty(); left = one.line()) known.note(left);
    ASSERT_EQ(one.end(), -SIGKILL) << "it ended by itself, see above";
    if (lines != 0) ++killed_while_writing;
  }
  void expect_all_applied(std::uint64_t kills) {
    ASSERT_EQ((victim_process{{SEAWALL_VICTIM, rows, log, "drain"}}.end()), 0);
    const findings found = known.check(*db);
    EXPECT_TRUE(found.none()) << "after " << kills << " kills: " << found.examples.front();
  }

  seawall::servers::temp_dir folder{"write-behind"};
  const std::string rows = (folder.path() / "rows.db").string();
  const std::string log = (folder.path() / "log").string();
  std::shared_ptr<seawall::sql::database> db = open_rows(rows).value();
  seawall::random_source random{from_environment("SEAWALL_SEED", 1)};
  ledger known;
  int killed_while_writing = 0;
};

TEST_F(WriteBehindKilled, LosesReordersAndRepeatsNothing) {
  const std::uint64_t kills = from_environment("SEAWALL_KILLS", 30);
  for (std::uint64_t round = 1; round <= kills && !HasFailure(); ++round) {
    kill_one(round, "group");
    if (round % 10 == 0 || round == kills) expect_all_applied(round);
  }
  EXPECT_GT(killed_while_writing, 0);
  EXPECT_GT(known.keys(), 6U) << "more rounds than one";
}

TEST_F(WriteBehindKilled, IsNoticedWhenItHasNoLog) {
  std::size_t missing = 0;
  for (std::uint64_t round = 1; round != 20 && missing == 0; ++round) {
    kill_one(round, "memory");
    missing = known.check(*db).lost;
  }
  EXPECT_GT(missing, 0);
}

TEST_F(WriteBehindKilled, IsHeldAgainstVersionsAndTheHistory) {
  known.note("ack 1 27 100");
  EXPECT_EQ(known.check(*db).lost, 1U) << "no row";
  const auto applies = [this](std::uint64_t version) {
    const operation removal{.key = 1, .value = std::nullopt, .sequence = version};
    ASSERT_TRUE(apply(*db, {&removal, 1}));
  };
  applies(99);
  EXPECT_EQ(known.check(*db).lost, 1U) << "removed before it";
  applies(102);
  EXPECT_TRUE(known.check(*db).none()) << "what was not acknowledged may take effect";
  const auto note = [this](std::int64_t version) {
    ASSERT_TRUE(db->execute("INSERT INTO history (key, value, version) VALUES (1, NULL, $1)", version));
  };
  note(102);
  EXPECT_EQ(known.check(*db).repeated, 1U);
  note(101);
  EXPECT_EQ(known.check(*db).reordered, 1U);
}

}  // namespace
}  // namespace kills
