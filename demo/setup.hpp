// What the command line means for the parts, in the first process and in those that it starts.
#pragma once

#include "board.hpp"
#include "front.hpp"
#include "options.hpp"
#include "replay.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace seawall::demo {

inline replay_options replay_options_of(const demo_options& o) {
  return {.database = o.database,
          .process = static_cast<std::size_t>(o.worker),
          .fresh_percent = o.shared() ? static_cast<unsigned>(o.fresh_percent) : 0};
}

/// A name of the run's own: no entry of an earlier run is ever read.
inline std::string shared_name_of(const board& shared) { return fmt::format("seawall-demo-{:016x}", shared.run()); }

inline seawall_front_options front_options_of(const demo_options& o, const board& shared,
                                              std::shared_ptr<remote_tier> tier) {
  return {.threads = static_cast<std::size_t>(o.threads),
          .break_invalidation = o.break_invalidation,
          .name = tier ? shared_name_of(shared) : "shop",
          .shared = std::move(tier)};
}

}  // namespace seawall::demo
