// The local tier, fed by tracked reads and by fills, in front of leases in the shared tier.
#include "two_tiers.hpp"

#include <gtest/gtest.h>

#include <array>

#include "variant.hpp"

namespace seawall::models {
namespace {

using enum promise;
using tiers::two_tiers;
using row = variant<two_tiers>;
using dropping = two_tiers::dropping;
using keeping = two_tiers::keeping;
using feeding = two_tiers::feeding;

constexpr std::array invalidations{
    row{"DropsTwice",
        "An own invalidation drops the key before it is sent and after it was answered.",
        {.others_writes = 1, .others_reads = 1}},
    row{"DropsTwiceLosses",
        "The same; entries are evicted and leases expire.",
        {.others_writes = 1, .evictions = 1, .lease_expiries = 1}},
    row{"DropsTwiceConnection",
        "The same; the connection drops, and the local tier is emptied.",
        {.others_writes = 1, .lease_expiries = 1, .drops = 1}},
    row{"ConnectionKeeps",
        "The connection drops, and the local tier is kept: the server has forgotten whom to tell.",
        {.flushes = false, .others_writes = 1, .lease_expiries = 1, .drops = 1},
        perm},
    row{"DropsOnlyBefore",
        "It drops the key only before: a read between the two keeps the old value, and its push follows the reply.",
        {.drop = dropping::only_before, .others_reads = 1},
        own},
    row{"DropsOnlyBeforeUntold",
        "The same; the server does not tell a process of its own changes.",
        {.drop = dropping::only_before, .no_loop = true, .others_reads = 1},
        own | perm},
    row{"DropsOnlyAfter",
        "It drops the key only after: reads in between get the old value, which nobody has yet been promised is gone.",
        {.drop = dropping::only_after, .others_writes = 1, .others_reads = 1}},
    row{"DropsOnlyAfterUntold",
        "The same; the server does not tell a process of its own changes.",
        {.drop = dropping::only_after, .no_loop = true, .others_writes = 1, .others_reads = 1}},
    row{"GivesUp",
        "The writer does not wait for the reply: it must not claim to have invalidated.",
        {.others_reads = 1, .give_ups = 1},
        own},
    row{"GivesUpUnchanged",
        "The same; what was asked for before the key was dropped is not kept.",
        {.if_unchanged = true, .others_reads = 1, .give_ups = 1}},
    row{"Beside",
        "Invalidations go over another connection: their reply overtakes that of an older read.",
        {.beside = true, .others_reads = 1},
        own},
    row{"BesideUnchanged",
        "The same; what was asked for before the key was dropped is not kept.",
        {.if_unchanged = true, .beside = true, .others_writes = 1, .others_reads = 1}},
    row{"KeptLate",
        "The thread that asked keeps the value, when it comes to it.",
        {.keep = keeping::by_reader, .others_reads = 1},
        own | perm},
    row{"KeptLateUnchanged",
        "The same, unless the key was told of or dropped since it asked.",
        {.keep = keeping::by_reader, .if_unchanged = true, .others_writes = 1, .others_reads = 1}},
};

constexpr std::array feeds{
    row{"FillCompared",
        "With the fill goes a tracked read; if it finds the nonce of the fill, the value is kept.",
        {.feed = feeding::compared, .others_writes = 1, .others_reads = 1}},
    row{"FillComparedLosses",
        "The same; entries are evicted and leases expire.",
        {.feed = feeding::compared, .evictions = 1, .lease_expiries = 1}},
    row{"FillComparedConnection",
        "The same; the connection drops.",
        {.feed = feeding::compared, .others_writes = 1, .lease_expiries = 1, .drops = 1}},
    row{"FillComparedLate",
        "The same; the thread keeps the value, unless the key was told of or dropped meanwhile.",
        {.keep = keeping::by_reader, .feed = feeding::compared, .if_unchanged = true, .others_writes = 1}},
    row{"FillUncompared",
        "The read is not looked at: the value may have been invalidated between fill and read, untracked.",
        {.feed = feeding::uncompared, .others_writes = 1},
        perm},
    row{"FillUntracked",
        "An accepted fill is kept, and the server does not know.",
        {.feed = feeding::untracked, .others_writes = 1},
        perm},
};

class TwoTiers : public ::testing::TestWithParam<row> {};

TEST_P(TwoTiers, BreakWhatTheyAreSaidToBreak) { check(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Invalidations, TwoTiers, ::testing::ValuesIn(invalidations), name_of);
INSTANTIATE_TEST_SUITE_P(Feeds, TwoTiers, ::testing::ValuesIn(feeds), name_of);

}  // namespace
}  // namespace seawall::models
