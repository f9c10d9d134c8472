// What a process may keep of the server's data, by how it is told of changes.
#include "tracking.hpp"

#include <gtest/gtest.h>

#include <array>

#include "variant.hpp"

namespace seawall::models {
namespace {

using enum promise;
using enum tracked_key::feed;
using row = variant<tracked_key>;

constexpr std::array table{
    row{"OneConnection", "Pushes come in order with the replies.", {}},
    row{"OneConnectionDrops", "The connection drops, and all is forgotten.", {.drops = 2}},
    row{"OneConnectionDropsKeeps",
        "The connection drops, and nothing is forgotten.",
        {.flushes = false, .drops = 1},
        perm},
    row{"TwoConnections", "A push overtakes the reply that it is about.", {.by = tracking_beside}, perm},
    row{"TwoConnectionsPlace",
        "The same; a push also takes the place away that the reply is to have.",
        {.by = tracking_beside, .placeholder = true}},
    row{"TwoConnectionsPlaceDrops",
        "The same; the connection of the pushes drops, and all is forgotten, places too.",
        {.by = tracking_beside, .placeholder = true, .drops = 1}},
    row{"OwnWrites", "The process keeps what it wrote, which the server does not track.", {.own_writes = 1}, perm},
    row{"OwnWritesReread", "The same; the write reads the key again.", {.rereads = true, .own_writes = 1}},
    row{"BroadcastOwnWrites", "The server tells of all changes.", {.by = broadcast, .own_writes = 1}},
    row{"Channel", "Writers publish, and a message overtakes the reply.", {.by = channel}, perm},
    row{"ChannelPlace", "The same; a message also takes the place away.", {.by = channel, .placeholder = true}},
    row{"ChannelPlaceDrops",
        "The same; the connection of the messages drops, and all is forgotten.",
        {.by = channel, .placeholder = true, .drops = 1}},
    row{"ChannelPlaceDropsKeeps",
        "The same, but nothing is forgotten.",
        {.by = channel, .placeholder = true, .flushes = false, .drops = 1},
        perm},
};

class Tracking : public ::testing::TestWithParam<row> {};

TEST_P(Tracking, BreaksWhatItIsSaidToBreak) { check(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Models, Tracking, ::testing::ValuesIn(table), name_of);

}  // namespace
}  // namespace seawall::models
