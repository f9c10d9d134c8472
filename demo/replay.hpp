// Client threads that replay the traffic against a front, in the order of the trace, and check every answer. Several
// processes with one board share the traffic: each takes the next requests, as behind a load balancer.
#pragma once

#include "board.hpp"
#include "checker.hpp"
#include "figures.hpp"
#include "front.hpp"
#include "request.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace seawall::demo {

/// One phase: it ends after `seconds`, or after `requests`, whichever comes first; 0 is no limit.
struct phase {
  phase_kind kind{};
  front& through;  ///< the leader's; the others have their own
  double seconds = 0;
  std::uint64_t requests = 0;
};

struct phase_result {
  figures measured;     ///< of all processes
  std::string failure;  ///< the first error of the database or of a load, which ended the phase; else empty
};

/// Called about once per second with the figures of that second and with those of the phase so far.
using live_report = std::function<void(const figures& second, const figures& so_far)>;

struct replay_options {
  std::string database;        ///< for shop_place_at
  std::size_t process = 0;     ///< which one of the board this is; 0 leads
  unsigned fresh_percent = 0;  ///< reads that ask for what is right now
};

class replayer {
 public:
  /// Opens one session per client thread. `traffic`, `check` and `shared` must outlive it.
  replayer(const replay_options& options, const std::vector<request_key>& traffic, checker& check, board& shared);

  /// The leader: begins a phase, for all processes, and blocks until it has ended in all that are not lost. Replays
  /// from the first request of the trace on, and from there again when it ends. `attend` is called every some
  /// milliseconds, and ends the phase early by answering false.
  phase_result lead(const phase& p, const live_report& live, const std::function<bool()>& attend);
  /// The others: takes part in the phase that the board is in. Blocks until it ends.
  void follow(front& through);

 private:
  void serve(client_counters& c, shop_session& session, front& through);
  void read(client_counters& c, shop_session& session, front& through, const request_key& key, bool fresh);
  void write(client_counters& c, shop_session& session, front& through, const request_key& key, std::uint64_t index);
  void count(client_counters& c, const judgement& j) const;
  void acknowledge(front& through, const std::vector<row_version>& rows);
  void announce(front& through);
  void publish(const front& through);
  void fail(const std::string& why);
  /// Runs the clients of this process; calls `tick` every some milliseconds.
  void work(front& through, const std::function<void()>& tick);
  void wait_for_others(const std::function<void()>& tick);
  std::string first_failure() const;

  const replay_options options_;
  const std::vector<request_key>& traffic_;
  checker& check_;
  board& board_;
  process_slot& slot_;
  const std::unique_ptr<shop_place> place_;
  std::vector<std::unique_ptr<shop_session>> sessions_;
  // Where the database has one writer at a time, the clients of this process queue here instead of polling its lock.
  std::mutex writer_;
  tier_shares before_;  // what the front had answered before the phase
  std::mutex unannounced_mutex_;
  std::vector<row_version> unannounced_;  // committed and invalidated here; other processes may not know yet
  std::mutex mutex_;
  std::condition_variable done_;
  int running_ = 0;      // under mutex_
  bool failed_ = false;  // under mutex_
};

}  // namespace seawall::demo
