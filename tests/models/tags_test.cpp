// When a tag's stamp is taken, and what it is.
#include <gtest/gtest.h>

#include <array>

#include "tagged_lease.hpp"
#include "tags.hpp"
#include "variant.hpp"

namespace seawall::models {
namespace {

using enum promise;
using enum tagged_entry::stamping;
using row = variant<tagged_entry>;
using lease_row = variant<tagged_lease>;

constexpr std::array table{
    row{"GenerationBeforeLoad", "The entry has the generation that the tag had before the load.", {}},
    row{"GenerationEvicted", "The same; the tag is evicted, and gets a generation that is unique.", {.evictions = 1}},
    row{"GenerationRestarts", "The same, but it starts again at 1.", {.restarts = true, .evictions = 1}, reg | perm},
    row{"GenerationAtFill",
        "The entry has the generation that the tag has when the value is stored.",
        {.stamp = generation_at_fill},
        reg | perm},
    row{"TimeBeforeLoad",
        "The entry has the time before the load, the tag that of its invalidation.",
        {.stamp = time_before_load}},
    row{"TimeAtFill", "The entry has the time when the value is stored.", {.stamp = time_at_fill}, reg | perm},
    row{"TimeWriterLate",
        "The writer's clock is behind.",
        {.stamp = time_before_load, .writer_late = true},
        reg | perm},
    row{"TimeWriterEarly",
        "The writer's clock is ahead: entries are invalid for longer than they need be.",
        {.stamp = time_before_load, .writer_early = true}},
    row{"TimeEvicted", "The tag is evicted.", {.stamp = time_before_load, .evictions = 1}, reg | perm},
};

constexpr auto after_load = tagged_lease::stamping::after_load;
constexpr auto everybody = tagged_lease::joining::everybody;
constexpr auto joined_before_load = tagged_lease::joining::before_load;
constexpr auto verified = tagged_lease::joining::verified;

constexpr std::array leases{
    lease_row{"BeforeLoad",
              "The generation is taken before the load, the value is stored under a lease; the tag is invalidated.",
              {.evictions = 1, .tag_evictions = 1, .lease_expiries = 1}},
    lease_row{"BeforeLoadBothWriters",
              "The same; another writer invalidates the key.",
              {.readers = 2, .writers = 2, .evictions = 1, .tag_evictions = 1, .lease_expiries = 1}},
    lease_row{"Restarts",
              "The same, but the generation of a tag that was evicted starts again at 1.",
              {.restarts = true, .tag_evictions = 1},
              lin | perm},
    lease_row{"AfterLoad",
              "The generation is taken after the load: the lease does not help, the tag leaves it alone.",
              {.stamp = after_load},
              lin | perm},
    lease_row{"AfterLoadRegular", "The same: not even regular.", {.stamp = after_load, .regular = true}, reg | perm},
    lease_row{"JoinEverybody",
              "An accepted value goes to all who joined before the fill: the tag may have been invalidated before.",
              {.join = everybody},
              lin},
    lease_row{"JoinEverybodyRegular", "The same: not even regular.", {.join = everybody, .regular = true}, reg},
    lease_row{
        "JoinBeforeLoad", "It goes to those who joined before the load.", {.join = joined_before_load, .writers = 2}},
    lease_row{"JoinBeforeLoadExpires",
              "The same; leases expire.",
              {.join = joined_before_load, .evictions = 1, .lease_expiries = 1}},
    lease_row{"JoinVerified",
              "It goes to all who joined before the fill, if the tag read afterwards is unchanged.",
              {.join = verified, .writers = 2}},
    lease_row{
        "JoinVerifiedExpires", "The same; leases expire.", {.join = verified, .evictions = 1, .lease_expiries = 1}},
};

class Tags : public ::testing::TestWithParam<row> {};

TEST_P(Tags, BreakWhatTheyAreSaidToBreak) { check(GetParam()); }

class TagsAndLeases : public ::testing::TestWithParam<lease_row> {};

TEST_P(TagsAndLeases, BreakWhatTheyAreSaidToBreak) { check(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Models, Tags, ::testing::ValuesIn(table), name_of);
INSTANTIATE_TEST_SUITE_P(Models, TagsAndLeases, ::testing::ValuesIn(leases), name_of);

}  // namespace
}  // namespace seawall::models
