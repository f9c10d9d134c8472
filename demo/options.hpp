// The command line of seawall-demo.
#pragma once

#include <expected>
#include <string>

namespace seawall::demo {

struct demo_options {
  static constexpr const char* default_database = "build/demo/shop.db";

  int seconds = 15;
  int threads = 16;
  std::string trace = "all";
  std::string database = default_database;  ///< a file, or the URL of a PostgreSQL
  bool postgres = false;                    ///< a private PostgreSQL and a private Redis
  std::string json;
  std::string redis;                ///< URL; empty: none, or a private one if the run shares
  int processes = 1;
  int fresh_percent = 2;            ///< of the reads, where processes share: they ask for what is right now
  double scale = 1;                 ///< of the shop; tests use small ones
  bool break_invalidation = false;  ///< writers skip the invalidation: the checker must notice
  int worker = 0;                   ///< above 0: this is not the first process, and was started by it
  int board = -1;                   ///< the descriptor that a worker got from the first process

  /// Whether the cache has a shared tier.
  bool shared() const noexcept { return processes > 1 || !redis.empty() || postgres; }
};

/// Why there is nothing to run: the help page (code 0, for stdout) or a mistake (code 2, for stderr).
struct early_exit {
  int code = 0;
  std::string text;
};

std::expected<demo_options, early_exit> parse_options(int argc, const char* const* argv);

}  // namespace seawall::demo
