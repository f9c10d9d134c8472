// What a reader may store, and how an invalidation is done.
#include <gtest/gtest.h>

#include <array>

#include "shared_tier.hpp"
#include "variant.hpp"

namespace seawall::models {
namespace {

using enum promise;
using row = variant<shared_tier>;

constexpr auto retry = rejection::retry;

constexpr std::array fills{
    row{"PlainSet",
        "Load and set; the writer commits, then deletes.",
        {.fill = filling::set, .evictions = 1},
        lin | perm},
    row{"PlainSetRegular",
        "The same: not even regular.",
        {.fill = filling::set, .regular = true, .writers = 1},
        reg | perm},
    row{"DeleteThenCommit",
        "Load and set; the writer deletes, then commits.",
        {.fill = filling::set, .write = writing::invalidate_commit},
        lin | perm},
    row{"DeleteTwice",
        "Load and set; the writer deletes, commits, deletes again.",
        {.fill = filling::set, .write = writing::invalidate_commit_invalidate},
        lin | perm},
    row{"CommitThenSet",
        "Load and set; the writer commits, then sets.",
        {.fill = filling::set, .write = writing::commit_set},
        lin | perm},
    row{"MarkerAdd",
        "An invalidation leaves a constant marker; the fill adds, or replaces the marker.",
        {.fill = filling::add},
        lin | perm},
    row{"MarkerAddFlush",
        "The same; the tier may be flushed, the marker may expire.",
        {.fill = filling::add, .evictions = 1, .tombstone_expiries = 1},
        lin | perm},
    row{"UniqueMarker",
        "Each marker is unique, and the fill replaces only the one that it saw: it heals, but is not linearizable.",
        {.fill = filling::add_id, .readers = 3},
        lin},
    row{"UniqueMarkerFlush",
        "The same; the tier may be flushed: where a marker was is nothing, and to that anybody may add.",
        {.fill = filling::add_id, .evictions = 1},
        lin | perm},
    row{"LeaseServesRejected",
        "A fill needs its lease; a rejected value is served all the same.",
        {.readers = 3, .evictions = 2, .lease_expiries = 1},
        lin},
    row{"LeaseServesRejectedRegular",
        "The same is regular: the value was loaded after its reader began.",
        {.regular = true, .evictions = 1, .lease_expiries = 1}},
    row{"LeaseRetries",
        "A fill needs its lease; whose fill was rejected reads again.",
        {.rejected = retry, .readers = 3, .evictions = 1, .lease_expiries = 1}},
};

constexpr std::array orders{
    row{"LeaseBeforeCommit",
        "The invalidation comes before the commit, as it does inside a transaction.",
        {.write = writing::invalidate_commit, .rejected = retry},
        lin | perm},
    row{"LeaseAroundCommit",
        "Invalidations before and after the commit.",
        {.write = writing::invalidate_commit_invalidate, .rejected = retry, .evictions = 1, .lease_expiries = 1}},
    row{"CrashAlone", "A writer crashes after its commit.", {.rejected = retry, .crashes = 1}, perm},
    row{"CrashAroundCommit",
        "The same; invalidating before the commit does not help.",
        {.write = writing::invalidate_commit_invalidate, .rejected = retry, .crashes = 1},
        perm},
    row{"CrashIntent",
        "The same; nor does an intent that never expires: another writer's invalidation takes it away.",
        {.write = writing::intent_commit_invalidate,
         .rejected = retry,
         .cooldown = true,
         .monotone = true,
         .lease_expiries = 1,
         .crashes = 1},
        perm},
    row{"CrashIntentExpires",
        "The same; nor does an intent that expires before the commit.",
        {.write = writing::intent_commit_invalidate,
         .rejected = retry,
         .cooldown = true,
         .monotone = true,
         .writers = 1,
         .tombstone_expiries = 1,
         .crashes = 1},
        perm},
    row{"IntentExpires",
        "Without a crash the intent may expire: it is the invalidation after the commit that counts.",
        {.write = writing::intent_commit_invalidate,
         .rejected = retry,
         .cooldown = true,
         .monotone = true,
         .lease_expiries = 1,
         .tombstone_expiries = 1}},
    row{"CrashOutbox",
        "A writer crashes after its commit, and a relay invalidates what the outbox holds.",
        {.rejected = retry, .outbox = true, .evictions = 1, .lease_expiries = 1, .crashes = 1}},
};

constexpr std::array replicas{
    row{"Replica",
        "Loads read a replica of the database, which lags behind.",
        {.load = loading::replica, .evictions = 1, .lease_expiries = 1},
        lin | perm},
    row{"ReplicaCooldown",
        "An invalidation leaves a tombstone, during which loads read the primary and do not fill.",
        {.load = loading::replica_cooldown, .lease_expiries = 1, .tombstone_expiries = 2},
        lin | perm},
    row{"ReplicaCooldownMonotone",
        "The same; an invalidation that comes late does not lower the floor of the tombstone.",
        {.load = loading::replica_cooldown, .monotone = true, .lease_expiries = 1, .tombstone_expiries = 1},
        lin},
    row{"ReplicaCooldownRegular",
        "The same is regular.",
        {.load = loading::replica_cooldown,
         .monotone = true,
         .regular = true,
         .lease_expiries = 1,
         .tombstone_expiries = 1}},
    row{"ReplicaCooldownEvicted",
        "The same, but the tombstone is evicted.",
        {.load = loading::replica_cooldown,
         .monotone = true,
         .regular = true,
         .evictions = 1,
         .lease_expiries = 1,
         .tombstone_expiries = 1},
        reg | perm},
    row{"ReplicaFloor",
        "The tombstone has a floor, the version that was written; a lease inherits it and a fill below is rejected.",
        {.load = loading::replica_floor, .lease_expiries = 1, .tombstone_expiries = 1},
        lin | perm},
    row{"ReplicaFloorMonotone",
        "The same; an invalidation that comes late does not lower the floor.",
        {.load = loading::replica_floor, .monotone = true, .lease_expiries = 1, .tombstone_expiries = 1},
        lin},
    row{"ReplicaFloorRegular",
        "The same is regular.",
        {.load = loading::replica_floor,
         .monotone = true,
         .regular = true,
         .lease_expiries = 1,
         .tombstone_expiries = 1}},
    row{"ReplicaFloorEvicted",
        "The same, but the tombstone is evicted.",
        {.load = loading::replica_floor,
         .monotone = true,
         .regular = true,
         .evictions = 1,
         .lease_expiries = 1,
         .tombstone_expiries = 1},
        reg | perm},
};

class Leases : public ::testing::TestWithParam<row> {};

TEST_P(Leases, BreakWhatTheyAreSaidToBreak) { check(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Fills, Leases, ::testing::ValuesIn(fills), name_of);
INSTANTIATE_TEST_SUITE_P(Orders, Leases, ::testing::ValuesIn(orders), name_of);
INSTANTIATE_TEST_SUITE_P(Replicas, Leases, ::testing::ValuesIn(replicas), name_of);

}  // namespace
}  // namespace seawall::models
