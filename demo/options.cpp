#include "options.hpp"

#include "traffic.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace seawall::demo {
namespace {

/// CLI11 checks answer an empty text when all is well.
std::string check_trace(const std::string& trace) {
  if (is_known_traffic(trace) || std::filesystem::is_regular_file(trace)) return {};
  return fmt::format("no such traffic: {}; known are {}, or give the path of a .u64 or .u64.zst file", trace,
                     known_traffic);
}

std::string check_database(const std::string& path) {
  if (path.empty()) return "the path of the database is empty";
  if (path.find("://") == std::string::npos) return {};
  if (path.starts_with("postgres://") || path.starts_with("postgresql://")) {
    return "PostgreSQL comes later; until then give the path of an SQLite file, which is generated if it is missing";
  }
  return fmt::format("{} is not the path of a file", path);
}

std::string check_json(const std::string& path) {
  // Before the run, not after it; nothing that is in the file is lost yet.
  if (std::ofstream(path, std::ios::app)) return {};
  return fmt::format("{} cannot be written", path);
}

void declare(CLI::App& app, demo_options& o) {
  app.add_option("--seconds", o.seconds, "how long each of the two measurements runs")
      ->check(CLI::Range(1, 3600))->capture_default_str();
  app.add_option("--threads", o.threads, "client threads")->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--trace", o.trace, fmt::format("traffic: {}, or a .u64 or .u64.zst file", known_traffic))
      ->check(check_trace)->capture_default_str();
  app.add_option("--database", o.database, "the SQLite file; generated if it is missing (about 200 MB)")
      ->check(check_database)->capture_default_str();
  app.add_option("--json", o.json, "write all figures to this file")->check(check_json);
  app.add_option("--scale", o.scale, "share of the shop to generate; small ones are for tests")
      ->check(CLI::Range(0.0001, 1.0))->group("");
  app.add_flag("--break-invalidation", o.break_invalidation,
               "writers skip the invalidation; proves that the checker works: stale answers must be found")
      ->group("");
}

}  // namespace

std::expected<demo_options, early_exit> parse_options(int argc, const char* const* argv) {
  CLI::App app("Replays the traffic of a real web shop, first straight at a database, then through Seawall, and checks "
               "every answer.",
               "./dev demo");
  app.footer("Exit status: 0; 1 when an answer was stale or wrong or something failed; 2 for a wrong option; 130 after "
             "Ctrl-C.");
  demo_options options;
  declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(e, out, err);
    return std::unexpected(early_exit{code == 0 ? 0 : 2, code == 0 ? out.str() : err.str()});
  }
  return options;
}

}  // namespace seawall::demo
