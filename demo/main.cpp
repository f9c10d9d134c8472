// seawall-demo: a web shop's real traffic, first straight at its database, then through Seawall; in one process, or in
// several that share a Redis.
#include "crew.hpp"
#include "options.hpp"
#include "run.hpp"
#include "shop_generate.hpp"

#include <fmt/core.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

extern "C" void on_interrupt(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);  // a second Ctrl-C ends the program at once
}

}  // namespace

int main(int argc, char** argv) {
  using namespace seawall::demo;
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().code == 0 ? stdout : stderr);
    return options.error().code;
  }
  if (options->worker > 0) return work_in_crew(*options);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  try {
    return run(*options, interrupted);
  } catch (const generation_stopped&) {
    fmt::print(stderr, "\nseawall-demo: interrupted while generating the database; nothing is left behind\n");
    return exit_interrupted;
  } catch (const std::exception& e) {
    std::fflush(stdout);
    fmt::print(stderr, "\nseawall-demo: {}\n", e.what());
    return exit_failed;
  }
}
