// settings: what the command line of seawall-chaos says.
#pragma once

#include "truth.hpp"

#include "seawall/tier/tuning.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace chaos {

struct settings {
  std::string scenario = "tier";
  seawall::tier::feed_mode feed = seawall::tier::feed_mode::tracking;  ///< Of the scenario tier.
  std::vector<std::string> topologies = {"single"};
  double seconds = 30;  ///< Of each topology.
  std::uint64_t reads = 0;
  std::uint64_t processes = 3;
  std::uint64_t threads = 3;
  std::uint64_t keys = 1000;
  std::uint64_t bound_ms = 500;
  std::uint64_t seed = 0;
  std::uint64_t writes = 20'000;  ///< Of the scenario capture.
  std::string mode = "log";       ///< Of the scenario capture.
  std::uint64_t kills = 200;      ///< Of the scenario write-behind.
  std::string level = "local_log";  ///< Of the scenario write-behind.
  std::vector<std::string> faults = {};  ///< Their groups; none: all of them.
  bool verbose = false;
  mischief wrong = mischief::none;

  // Of a worker.
  std::filesystem::path shared = {};
  std::uint64_t index = 0;
};

/// As the command line calls it.
std::string name_of(seawall::tier::feed_mode feed);

/// The settings, or the status with which to end at once.
struct parsed {
  settings how;
  std::optional<int> status;
};
parsed parse(int count, char** words);

}  // namespace chaos
