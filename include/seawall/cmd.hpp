// seawall::cmd: Redis commands as typed values, for any target that executes them: a redis client, or the embedded
// keyspace. How to run them: seawall/cmd/run.hpp, or with Boost.Asio seawall/cmd/async.hpp.
//
//     auto user = cmd::run(redis, cmd::get<user>("user:42"));                     // result<std::optional<user>>
//     auto set = cmd::run(redis, cmd::set("user:42", ann, {.ex = 10min, .when = cmd::set_when::absent}));
//
// Where a function takes keys (fields, values), it takes any number of them, ranges of them, or both. Values go through
// codec<T> (seawall/base/codec.hpp). An argument out of its limits makes running the command fail with
// errc::invalid_argument; nothing is sent.
#pragma once

#include "seawall/cmd/bitmaps.hpp"
#include "seawall/cmd/geo.hpp"
#include "seawall/cmd/hashes.hpp"
#include "seawall/cmd/keys.hpp"
#include "seawall/cmd/lists.hpp"
#include "seawall/cmd/pubsub.hpp"
#include "seawall/cmd/raw.hpp"
#include "seawall/cmd/run.hpp"
#include "seawall/cmd/scan.hpp"
#include "seawall/cmd/scan_range.hpp"
#include "seawall/cmd/scripting.hpp"
#include "seawall/cmd/server.hpp"
#include "seawall/cmd/sets.hpp"
#include "seawall/cmd/sorted_sets.hpp"
#include "seawall/cmd/streams.hpp"
#include "seawall/cmd/strings.hpp"
#include "seawall/cmd/watch.hpp"
