// summary: what a run prints at its end.
#pragma once

#include "schedule.hpp"
#include "settings.hpp"
#include "topology.hpp"
#include "truth.hpp"

#include <string>

namespace chaos {

struct outcome {
  std::string topology;
  double seconds = 0;
  std::uint64_t calm_loads = 0;  ///< Before the first fault.
  std::uint64_t violations = 0;
  std::string failure = {};      ///< What went wrong otherwise.
};

/// Violations that are excused when all is known: those within times of two primaries that were noticed late. Also
/// moves them to the excused ones of their process.
std::uint64_t count_violations(truth& shared, const topology& servers);
void print_faults(const diary& log);
/// 1,234,567
std::string grouped(std::uint64_t number);
void print_summary(const outcome& what, const settings& how, const truth& shared, const diary& log);

}  // namespace chaos
