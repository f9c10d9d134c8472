// Redis and Valkey: the client and the commands as typed values.
#pragma once

#include "seawall/cmd.hpp"
#include "seawall/redis/client.hpp"
