// What an application's own tests need: time and background work under the test's control.
#pragma once

#include "seawall/testing/manual_clock.hpp"
#include "seawall/testing/manual_executor.hpp"
