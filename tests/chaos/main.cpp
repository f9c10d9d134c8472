// seawall-chaos: real processes, real servers, real faults, and a check of every answer. See ./dev chaos and
// docs/chaos.md.
//
// Ends with 0: every promise held; 1: one did not, or something else went wrong; 2: wrong usage; 77: no server can be
// started here.
#include "driver.hpp"
#include "settings.hpp"
#include "worker.hpp"

#include "servers/redis_server.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

constexpr int no_server = 77;
constexpr int interrupted = 130;

extern "C" void on_signal(int signal) {
  chaos::interrupt();
  std::signal(signal, SIG_DFL);  // the second one ends the program at once
}

int work(const chaos::settings& how) {
  chaos::truth shared = chaos::truth::open(how.shared);
  chaos::worker{shared, how.index}.run();
  return 0;
}

int drive(const chaos::settings& how, const char* program) {
  if (!seawall::servers::server_available()) {
    fmt::print(stderr, "{}\n", seawall::servers::why_no_server());
    return no_server;
  }
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  bool held = true;
  for (const std::string& which : how.topologies) {
    held = chaos::run_topology(how, which, program) && held;
    if (chaos::is_interrupted()) return interrupted;
  }
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
