// What the cases of ./dev bench local share: options, figures, rounds, and what was found wrong.
#pragma once

#include "foreign_peers.hpp"

#include <fmt/format.h>
#include <seawall_bench/harness.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace seawall::bench {

inline constexpr metric hit_pct{"hit_pct", better::higher};
inline constexpr metric bytes_per_entry{"bytes_per_entry", better::lower};
inline constexpr metric p99_us{"p99_us", better::lower};
inline constexpr metric p9999_us{"p9999_us", better::lower};
inline constexpr metric max_us{"max_us", better::lower};
inline constexpr metric clear_s{"clear_s", better::lower};
inline constexpr metric mb_left{"mb_left", better::lower};
inline constexpr metric line_ns{"line_ns", better::neither};  // of the machine: see hand_over.hpp
inline constexpr metric times_slower{"times_slower", better::lower};

struct local_run : bench_run {
  std::vector<std::uint32_t> ranks{};          ///< The request list; empty until the children have been measured.
  std::optional<foreign_peers> foreign{};
  bool none_wanted = true;

  bool wants(const std::string& name) {
    const bool wanted = how.wants(name);
    none_wanted = none_wanted && !wanted;
    return wanted;
  }

  /// As `rounds`, for what is measured in a new process each time: no warm-up, three rounds at most.
  template <class F>
  void child_rounds(const std::string& name, F&& measure) {
    fmt::print(stderr, "{} ", name);
    for (int round = std::min(how.rounds, 3); round != 0; --round) {
      measure();
      fmt::print(stderr, ".");
    }
    fmt::print(stderr, "\n");
  }

  /// What the peers in other languages say of a case.
  void ask_foreign(report& to, const std::string& name) {
    if (!foreign) return;
    for (const foreign_peer& peer : foreign->all()) {
      for (const foreign_row& row : foreign->run(peer, name, how.seconds)) {
        for (const metric& known : {ns_per_op, mops, hit_pct, bytes_per_entry}) {
          if (row.metric == known.name) to.add(name, peer.name, row.threads, known, row.value);
        }
      }
    }
  }
};

}  // namespace seawall::bench
