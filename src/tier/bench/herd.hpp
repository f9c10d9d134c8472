// The herd: many callers in several processes miss one key at the same moment.
#pragma once

#include "subjects.hpp"
#include "worker.hpp"

#include <fmt/format.h>
#include <seawall_bench/private_server.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <list>
#include <sstream>
#include <string>
#include <vector>

namespace seawall::bench {

inline constexpr int herd_processes = 4;
inline constexpr int herd_callers = 2'500;  // of each process

struct stampede {
  std::uint64_t loads = 0;
  int wrong = 0;
  int tier_failures = 0;
  double server_cpu_s = 0;
  std::vector<double> times_us{};  ///< Since the callers were let loose, in order.

  double at(double share) const {
    const auto last = static_cast<double>(times_us.size() - 1);
    return times_us[static_cast<std::size_t>(share * last)];
  }
};

/// The processes, which live as long as this does.
class herd {
 public:
  herd(const std::string& subject, std::uint16_t port) {
    for (int i = 0; i != herd_processes; ++i) processes_.emplace_back(subject, port);
  }

  stampede run(private_server& server, std::uint64_t key) {
    stampede seen;
    for (worker& one : processes_) one.say(fmt::format("herd {} {}", key, herd_callers));
    for (worker& one : processes_) one.hear("ready");
    const double before = server.cpu_seconds();
    for (worker& one : processes_) one.say("go");
    for (worker& one : processes_) {
      std::istringstream in(one.hear("answered"));
      int wrong = 0;
      int failures = 0;
      in >> wrong >> failures;
      seen.wrong += wrong;
      seen.tier_failures += failures;
      for (double time = 0; in >> time;) seen.times_us.push_back(time);
    }
    seen.server_cpu_s = server.cpu_seconds() - before;
    std::sort(seen.times_us.begin(), seen.times_us.end());
    const std::string reply = server.ask("GET " + slow_source::counter_of(key));
    if (const auto text = reply.find('\n'); text != std::string::npos) {
      seen.loads = std::strtoull(reply.c_str() + text + 1, nullptr, 10);
    }
    return seen;
  }

 private:
  std::list<worker> processes_;
};

}  // namespace seawall::bench
