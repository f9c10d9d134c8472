// The shared tier: what several processes cache together, over Redis or anything that executes its commands.
#pragma once

#include "seawall/cache/prefix_removal.hpp"
#include "seawall/cache/shared_tier.hpp"
#include "seawall/tier/options.hpp"
#include "seawall/tier/redis_tier.hpp"
#include "seawall/tier/remote_tier.hpp"
#include "seawall/tier/stats.hpp"
#include "seawall/tier/tuning.hpp"
