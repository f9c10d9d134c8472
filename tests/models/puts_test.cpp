// Writers that leave their value in the tier instead of invalidating.
#include <gtest/gtest.h>

#include <array>

#include "shared_tier.hpp"
#include "variant.hpp"

namespace seawall::models {
namespace {

using enum promise;
using row = variant<shared_tier>;

constexpr auto retry = rejection::retry;

constexpr std::array table{
    row{"SetNewerPlainFill",
        "A writer sets its value unless something as new is there; readers load and set.",
        {.fill = filling::set, .write = writing::commit_set_newer, .evictions = 1},
        lin | perm},
    row{"SetNewer",
        "The same with leases: an old value lands where a newer one was evicted.",
        {.write = writing::commit_set_newer, .rejected = retry, .evictions = 1, .lease_expiries = 1},
        lin | perm},
    row{"Set",
        "A writer sets its value, whatever is there.",
        {.write = writing::commit_set, .rejected = retry},
        lin | perm},
    row{"PutDropsLease",
        "A writer puts its value in place of an older one that is there, and takes a lease away.",
        {.write = writing::commit_put_drop, .rejected = retry, .evictions = 1, .lease_expiries = 1}},
    row{"PutRaisesFloor",
        "The same, but a lease stays, with its floor raised.",
        {.write = writing::commit_put_raise, .rejected = retry, .evictions = 1, .lease_expiries = 1}},
    row{"PutThreeReaders",
        "The same with three readers.",
        {.write = writing::commit_put_raise, .rejected = retry, .readers = 3, .lease_expiries = 1}},
    row{"PutServesRejected",
        "A rejected value is served all the same.",
        {.write = writing::commit_put_raise, .readers = 3, .evictions = 1},
        lin},
    row{"PutCrash",
        "A writer crashes after its commit.",
        {.write = writing::commit_put_drop, .rejected = retry, .crashes = 1},
        perm},
    row{"PutCrashOutbox",
        "The same, and a relay invalidates what the outbox holds.",
        {.write = writing::commit_put_drop, .rejected = retry, .outbox = true, .evictions = 1, .crashes = 1}},
};

class Puts : public ::testing::TestWithParam<row> {};

TEST_P(Puts, BreakWhatTheyAreSaidToBreak) { check(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Models, Puts, ::testing::ValuesIn(table), name_of);

}  // namespace
}  // namespace seawall::models
