#include "options.hpp"

#include "query.hpp"
#include "redis_place.hpp"
#include "traffic.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace seawall::demo {
namespace {

constexpr int max_processes = 16;
constexpr const char* fresh_option = "--fresh";

/// CLI11 checks answer an empty text when all is well.
std::string check_trace(const std::string& trace) {
  if (is_known_traffic(trace) || std::filesystem::is_regular_file(trace)) return {};
  return fmt::format("no such traffic: {}; known are {}, or give the path of a .u64 or .u64.zst file", trace,
                     known_traffic);
}

std::string check_database(const std::string& path) {
  if (path.empty()) return "the path of the database is empty";
  if (path.find("://") == std::string::npos) return {};
  if (!is_postgres(path)) return "neither the path of a file nor the URL of a PostgreSQL: postgres://...";
  try {
    postgres_shop_place(path, 1);  // nothing is connected yet: this finds what cannot be right
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }
}

std::string check_json(const std::string& path) {
  // Before the run, not after it; nothing that is in the file is lost yet.
  if (std::ofstream(path, std::ios::app)) return {};
  return fmt::format("{} cannot be written", path);
}

std::string check_redis(const std::string& url) {
  if (url.empty()) return "the URL is empty";
  // Nothing is connected yet: this finds what cannot be right.
  const auto tier = shop_tier(url);
  return tier ? std::string{} : tier.error().message();
}

void declare(CLI::App& app, demo_options& o) {
  app.add_option("--seconds", o.seconds, "how long each of the two measurements runs")
      ->check(CLI::Range(1, 3600))->capture_default_str();
  app.add_option("--threads", o.threads, "client threads, in each process")
      ->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--trace", o.trace, fmt::format("traffic: {}, or a .u64 or .u64.zst file", known_traffic))
      ->check(check_trace)->capture_default_str();
  auto* const database =
      app.add_option("--database", o.database,
                     "the SQLite file, generated if it is missing (about 200 MB); or a PostgreSQL: "
                     "postgres://user[:password]@host[:port]/database, in which the run has a schema of its own, "
                     "dropped in the end (about 600 MB)")
          ->check(check_database)->capture_default_str();
  app.add_flag("--postgres", o.postgres,
               "start a PostgreSQL and, without --redis, a Redis for this run, and end them with it")
      ->excludes(database);
  app.add_option("--redis", o.redis,
                 "share the cache through this server: redis://[user:password@]host[:port], rediss://, unix:///socket, "
                 "redis+sentinel://host,host/name, redis+cluster://host,host; the run's keys are removed in the end")
      ->check(check_redis);
  app.add_option("--processes", o.processes,
                 "so many processes share the database, the traffic and one Redis; without --redis one is started for "
                 "this run, and ended with it")
      ->check(CLI::Range(1, max_processes))->capture_default_str();
  app.add_option(fresh_option, o.fresh_percent,
                 "percent of the reads that ask for what is right now in all processes (consistency::fresh); with "
                 "--redis, --processes or --postgres only")
      ->check(CLI::Range(0, 100))->capture_default_str();
  app.add_option("--json", o.json, "write all figures to this file")->check(check_json);
  app.add_option("--scale", o.scale, "share of the shop to generate; small ones are for tests")
      ->check(CLI::Range(0.0001, 1.0))->group("");
  app.add_flag("--break-invalidation", o.break_invalidation,
               "writers skip the invalidation; proves that the checker works: stale answers must be found")
      ->group("");
  app.add_option("--worker", o.worker, "the number of this process, for the first one to give")->group("");
  app.add_option("--board", o.board, "the descriptor of the memory that it shares")->group("");
}

}  // namespace

std::expected<demo_options, early_exit> parse_options(int argc, const char* const* argv) {
  CLI::App app("Replays the traffic of a real web shop, first straight at a database, then through Seawall, and checks "
               "every answer. One process, embedded, unless --processes or --redis is given.",
               "./dev demo");
  app.footer("Exit status: 0; 1 when an answer was stale or wrong, a process died or something failed; "
             "2 for a wrong option; 130 after Ctrl-C.");
  demo_options options;
  declare(app, options);
  try {
    app.parse(argc, argv);
    if (app.count(fresh_option) != 0 && !options.shared()) {
      throw CLI::ValidationError(fresh_option, "one process alone is always right: give --processes 2 (or more), "
                                               "--redis URL or --postgres as well");
    }
  } catch (const CLI::ParseError& e) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(e, out, err);
    return std::unexpected(early_exit{code == 0 ? 0 : 2, code == 0 ? out.str() : err.str()});
  }
  return options;
}

}  // namespace seawall::demo
