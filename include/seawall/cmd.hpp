// seawall::cmd: Redis commands as typed values, for any target that executes them: a redis client, or the embedded
// keyspace. How to run them: seawall/cmd/run.hpp, or with Boost.Asio seawall/cmd/async.hpp.
#pragma once

#include "seawall/cmd/keys.hpp"
#include "seawall/cmd/raw.hpp"
#include "seawall/cmd/run.hpp"
#include "seawall/cmd/scripting.hpp"
#include "seawall/cmd/strings.hpp"
