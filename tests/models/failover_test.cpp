#include <gtest/gtest.h>

#include <array>

#include "primary_tier.hpp"
#include "variant.hpp"

namespace seawall::models {
namespace {

using enum promise;
using row = variant<primary_tier>;

constexpr std::array table{
    row{"Pair",
        "The read is two commands, a lease where nothing is, and a read; evictions, leases expire.",
        {.pair = true, .evictions = 1, .lease_expiries = 1}},
    row{"PairAndPut",
        "The same; writers put their value in place of an older one and raise the floor of a lease.",
        {.pair = true, .tell = telling::put, .evictions = 1, .lease_expiries = 1}},
    row{"BlindRefresh",
        "A refresh stores what it loaded, whatever is there.",
        {.blind_refresh = true, .readers = 1, .writers = 1, .refreshers = 1},
        perm},
    row{"Refresh",
        "A refresh stores only in place of the entry that it saw, by its nonce; invalidations.",
        {.refreshers = 1, .evictions = 1, .lease_expiries = 1}},
    row{"RefreshAndPut", "The same; writers put their value.", {.tell = telling::put, .refreshers = 1, .evictions = 1}},
    row{"FailoverAlone",
        "A failover brings an entry back whose invalidation was not replicated.",
        {.readers = 2, .writers = 1, .lease_expiries = 1, .failovers = 1},
        lin | perm},
    row{"Generations",
        "Entries carry the generation of their reign, and a client learns it when it connects.",
        {.generations = true, .failovers = 1}},
    row{"GenerationsTwice",
        "Two failovers, the second before or after anybody noticed the first.",
        {.generations = true, .writers = 1, .failovers = 2}},
    row{"GenerationsTwiceAndPut",
        "The same; the writer puts its value.",
        {.generations = true, .tell = telling::put, .writers = 1, .failovers = 2}},
    row{"GenerationsEviction",
        "Entries are evicted and leases expire around the failover.",
        {.generations = true, .writers = 1, .evictions = 1, .lease_expiries = 1, .failovers = 1}},
    row{"GenerationsRecordLost",
        "The record is evicted: the next generation is as good as any other, if it is unique.",
        {.generations = true, .writers = 1, .failovers = 1, .losses = 1}},
    row{"GenerationsRecordLostPut",
        "The same; the writer puts its value.",
        {.generations = true, .tell = telling::put, .writers = 1, .failovers = 1, .losses = 1}},
    row{"GenerationsRestart",
        "The record is evicted, and generations begin again at 1.",
        {.generations = true, .writers = 1, .failovers = 1, .losses = 1, .restarts = true},
        lin | perm},
    row{"GenerationsPairPutRefresh",
        "The pair, puts and a refresh around a failover.",
        {.generations = true, .pair = true, .tell = telling::put, .readers = 1, .refreshers = 1, .failovers = 1}},
    row{"GenerationsCrash",
        "A writer crashes after its commit: generations do not replace an outbox.",
        {.generations = true, .writers = 1, .failovers = 1, .crashes = 1},
        perm},
    row{"GenerationsCrashOutbox",
        "The same, and a relay tells the tier what the outbox holds.",
        {.generations = true, .outbox = true, .writers = 1, .failovers = 1, .crashes = 1}},
    row{"GenerationsCrashOutboxPut",
        "The same; writer and relay put the value that was committed.",
        {.generations = true, .tell = telling::put, .outbox = true, .writers = 1, .failovers = 1, .crashes = 1}},
};

class Failover : public ::testing::TestWithParam<row> {};

TEST_P(Failover, BreaksWhatItIsSaidToBreak) { check(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Models, Failover, ::testing::ValuesIn(table), name_of);

}  // namespace
}  // namespace seawall::models
