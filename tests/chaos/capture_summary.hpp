// What the scenario capture prints at its end.
#pragma once

#include "capture_writer.hpp"
#include "schedule.hpp"
#include "settings.hpp"
#include "truth.hpp"

#include <string>
#include <vector>

namespace chaos {

/// `failure`: what went wrong beside answers; empty: nothing.
void print_capture(const settings& how, const truth& shared, const diary& log,
                   const std::vector<capture_writer>& writers, const std::string& failure);

}  // namespace chaos
