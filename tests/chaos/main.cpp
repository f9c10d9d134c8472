// seawall-chaos: real processes, real servers, real faults, and a check of every answer. See ./dev chaos and
// docs/chaos.md.
//
// Ends with 0: every promise held; 1: one did not, or something else went wrong; 2: wrong usage; 77: no server can be
// started here.
#include "capture_worker.hpp"
#include "driver.hpp"
#include "scenario.hpp"
#include "settings.hpp"
#include "worker.hpp"

#include "servers/postgres_server.hpp"
#include "servers/redis_server.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

namespace {

constexpr int no_server = 77;
constexpr int interrupted = 130;

extern "C" void on_signal(int signal) {
  chaos::interrupt();
  std::signal(signal, SIG_DFL);  // the second one ends the program at once
}

int work(const chaos::settings& how) {
  chaos::truth shared = chaos::truth::open(how.shared);
  if (shared.head().captures.load() != 0) chaos::capture_worker{shared, how.index}.run();
  else chaos::worker{shared, how.index}.run();
  return 0;
}

// Why the scenario cannot be run here; empty if it can. A write-behind has SQLite to write to.
std::string what_is_missing(const chaos::settings& how) {
  if (how.scenario == "write-behind" && how.level == "local_log") return {};
  if (!seawall::servers::server_available()) return seawall::servers::why_no_server();
  return how.scenario == "capture" ? seawall::servers::why_no_postgres() : std::string{};
}

bool all_held(const chaos::settings& how, const char* program) {
  if (how.scenario == "capture") return chaos::run_capture(how, program);
  if (how.scenario == "write-behind") return chaos::run_write_behind(how);
  bool held = true;
  for (const std::string& which : how.topologies) {
    held = chaos::run_topology(how, which, program) && held;
    if (chaos::is_interrupted()) break;
  }
  return held;
}

int drive(const chaos::settings& how, const char* program) {
  if (const std::string why = what_is_missing(how); !why.empty()) {
    fmt::print(stderr, "{}\n", why);
    return no_server;
  }
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  const bool held = all_held(how, program);
  if (chaos::is_interrupted()) return interrupted;
  if (how.wrong == chaos::mischief::none) return held ? 0 : 1;
  fmt::print("\n{}\n", held ? "NOTHING WAS NOTICED, though a worker did wrong on purpose"
                             : "what was done wrong was noticed");
  return held ? 1 : 0;
}

}  // namespace

int main(int count, char** words) {
  const auto parsed = chaos::parse(count, words);
  if (parsed.status) return *parsed.status;
  try {
    return parsed.how.shared.empty() ? drive(parsed.how, "/proc/self/exe") : work(parsed.how);
  } catch (const std::exception& why) {
    fmt::print(stderr, "seawall-chaos: {}\n", why.what());
    return 1;
  }
}
