// Who gets the value of a load that he waited for.
#include <gtest/gtest.h>

#include <array>

#include "flight.hpp"
#include "shared_tier.hpp"
#include "variant.hpp"

namespace seawall::models {
namespace {

using enum promise;
using join_row = variant<shared_tier>;
using reply_row = variant<flight_model>;

constexpr auto retry = rejection::retry;

constexpr std::array joins{
    join_row{"Naive",
             "Whoever waits gets the value, though leases keep it out of the tier.",
             {.join = joining::everybody, .readers = 3, .writers = 1},
             lin},
    join_row{"NaiveRegular",
             "The same: not even regular.",
             {.join = joining::everybody, .regular = true, .readers = 3, .writers = 1},
             reg},
    join_row{"BeforeLoad",
             "A rejected value goes to those who joined before the load began.",
             {.join = joining::before_load, .readers = 3, .writers = 1, .evictions = 1, .lease_expiries = 1},
             lin},
    join_row{"BeforeLoadRegular",
             "The same is regular.",
             {.join = joining::before_load,
              .regular = true,
              .readers = 3,
              .writers = 1,
              .evictions = 1,
              .lease_expiries = 1}},
    join_row{"Accepted",
             "Only accepted values are handed out; one writer.",
             {.rejected = retry,
              .join = joining::accepted,
              .readers = 3,
              .writers = 1,
              .evictions = 1,
              .lease_expiries = 1}},
    join_row{"AcceptedTwoWriters",
             "The same with two writers.",
             {.rejected = retry, .join = joining::accepted, .readers = 3}},
    join_row{"AcceptedLeaderServesRejected",
             "The leader serves a rejected value, those who wait start over.",
             {.join = joining::accepted, .readers = 3, .writers = 1, .evictions = 1, .lease_expiries = 1},
             lin},
};

using joining_until = flight_model::joining;
constexpr auto at_once = flight_model::taking::at_once;

constexpr std::array replies{
    reply_row{"UntilSent", "An accepted value goes to those who joined before the fill was sent.", {.writers = 2}},
    reply_row{"UntilSentLeaseExpires", "The same; leases expire.", {.evictions = 1, .lease_expiries = 1}},
    reply_row{"UntilExecuted",
              "It would do to have joined before the tier executed the fill, which the process cannot know.",
              {.join = joining_until::until_executed, .evictions = 1, .lease_expiries = 1}},
    reply_row{"UntilAnswered",
              "Who joins after the fill was executed gets a value that may have been invalidated since.",
              {.join = joining_until::until_answered},
              lin},
    reply_row{"UntilAnsweredRegular",
              "The same: not even regular.",
              {.join = joining_until::until_answered, .regular = true},
              reg},
    reply_row{"LeaderAtOnce",
              "The leader returns what it loaded before its fill is answered.",
              {.take = at_once, .evictions = 1},
              lin},
    reply_row{"LeaderAtOnceRegular",
              "The same is regular.",
              {.take = at_once, .regular = true, .evictions = 1, .lease_expiries = 1}},
};

class Joins : public ::testing::TestWithParam<join_row> {};
class Replies : public ::testing::TestWithParam<reply_row> {};

TEST_P(Joins, BreakWhatTheyAreSaidToBreak) { check(GetParam()); }
TEST_P(Replies, BreakWhatTheyAreSaidToBreak) { check(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Flights, Joins, ::testing::ValuesIn(joins), name_of);
INSTANTIATE_TEST_SUITE_P(Flights, Replies, ::testing::ValuesIn(replies), name_of);

}  // namespace
}  // namespace seawall::models
