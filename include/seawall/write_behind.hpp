// Write-behind: writes acknowledged by a local log and applied to the source in batches.
#pragma once

#include "seawall/source/write_behind.hpp"
#include "seawall/source/write_behind_options.hpp"
