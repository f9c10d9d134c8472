// The other processes of a demo: started, watched and ended by the first.
#pragma once

#include "board.hpp"
#include "child.hpp"
#include "options.hpp"

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

namespace seawall::demo {

class crew {
 public:
  /// Starts this program once for each process of the board but the first, with the same options. `options.redis` is
  /// set. For the thread: see child.
  crew(const demo_options& options, board& shared);
  /// Says that no phase follows, and waits for them.
  ~crew();
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;

  /// Looks for processes that have ended: they count as lost from here on, and the others go on. What was found, a
  /// sentence each.
  std::vector<std::string> attend();
  /// Until all can begin. Throws std::runtime_error if one cannot; false: `stop` came first.
  bool wait_ready(const std::atomic<bool>& stop);
  /// All that were lost so far.
  const std::vector<std::string>& lost() const noexcept { return lost_; }
  /// "4711 4712".
  std::string pids() const;

 private:
  board& board_;
  std::vector<child> others_;  // process 1 and so on
  std::vector<bool> told_;     // of each, that it is lost
  std::vector<std::string> lost_;
};

/// What a process does that was started by `crew`; its exit status.
int work_in_crew(const demo_options& options);

}  // namespace seawall::demo
