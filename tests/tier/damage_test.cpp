// Entries that other programs have cut or changed in the server.
#include "tier_support.hpp"

namespace seawall {
namespace {

using damage_test = shared_tier_test;

TEST_F(damage_test, what_is_no_whole_entry_is_loaded_anew) {
  member a{server->port(), patient()};
  const struct {
    const char* what;
    std::vector<servers::arguments> done;
  } cases[] = {
      {"cut", {{"EVAL", "redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], 0, -7))", "1", "c:k"}}},
      {"longer", {{"APPEND", "c:k", "more"}}},
      {"overwritten", {{"SETRANGE", "c:k", "49", "x"}}},
      {"emptied", {{"SET", "c:k", ""}}},
  };
  std::uint64_t found = 0;
  for (const auto& [what, done] : cases) {
    ASSERT_TRUE(a.load("c:k", value_of("a payload that its codec reads in part as well"))->accepted) << what;
    for (const servers::arguments& command : done) server->run(command);
    EXPECT_EQ(a.tier->stats().totals.undecodable, found) << what;
    const auto leased = a.read("c:k");
    EXPECT_EQ(leased->is, outcome::leased) << what;
    found = a.tier->stats().totals.undecodable;
    EXPECT_GT(found, 0) << what;
    a.invalidate({"c:k"});
  }
}

}  // namespace
}  // namespace seawall
