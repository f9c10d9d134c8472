// Client threads that replay the traffic against a front, in the order of the trace, and check every answer.
#pragma once

#include "checker.hpp"
#include "figures.hpp"
#include "front.hpp"
#include "request.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace seawall::demo {

/// One phase: it ends after `seconds`, or after `requests`, whichever comes first; 0 is no limit.
struct phase {
  front& through;
  double seconds = 0;
  std::uint64_t requests = 0;
};

struct phase_result {
  figures measured;
  std::string failure;  ///< the first error of the database or of a load, which ended the phase; else empty
};

/// Called about once per second with the figures of that second and with those of the phase so far.
using live_report = std::function<void(const figures& second, const figures& so_far)>;

class replayer {
 public:
  /// Opens one session per client thread. `traffic` and `check` must outlive it; `stop` ends a phase early when it
  /// becomes true.
  replayer(const std::string& database, int threads, const std::vector<request_key>& traffic, checker& check,
           const std::atomic<bool>& stop);

  /// Replays from the first request of the trace on, and from there again when it ends. Blocks until the phase ends.
  phase_result run(const phase& p, const live_report& live);

 private:
  struct client;
  struct run_state;
  void serve(client& c, run_state& state);
  void read(client& c, run_state& state, const request_key& key);
  void write(client& c, run_state& state, const request_key& key, std::uint64_t index);
  void watch(const phase& p, const live_report& live, run_state& state);
  figures total(const run_state& state) const;

  const std::vector<request_key>& traffic_;
  checker& check_;
  const std::atomic<bool>& stop_;
  std::vector<std::unique_ptr<shop_session>> sessions_;
  // SQLite has one writer at a time: the clients of this process queue here instead of polling its lock.
  std::mutex writer_;
};

}  // namespace seawall::demo
