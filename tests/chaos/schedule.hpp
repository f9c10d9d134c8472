// schedule: which faults there are, and a thread that brings them about, one after another and at the same time.
//
// A fault takes hold of something (a process, a server, a connection), so that two faults do not meet there; what it
// has broken is mended later.
#pragma once

#include "dice.hpp"
#include "truth.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace chaos {

/// What has been done, with its time: of all threads.
/// Thread safety: all members.
class diary {
 public:
  explicit diary(bool prints) : prints_(prints) {}

  /// `counts_as`: the name under which it is counted; empty: not at all.
  void note(std::string_view counts_as, const std::string& what);
  std::map<std::string, std::uint64_t> counts() const;
  /// The last lines before the moment.
  std::vector<std::string> before(std::int64_t when, std::size_t most) const;
  double seconds(std::int64_t when) const noexcept { return static_cast<double>(when - begun_) * 1e-9; }

 private:
  const bool prints_;
  const std::int64_t begun_ = now();
  mutable std::mutex mutex_;
  std::vector<std::pair<std::int64_t, std::string>> lines_;  // guarded by mutex_
  std::map<std::string, std::uint64_t> counts_;              // guarded by mutex_
};

/// A fault that has begun: what to write down, what it holds, and how and when it ends.
struct begun {
  std::string text;
  std::string holds = {};
  std::chrono::milliseconds lasts{0};
  std::function<void()> mend = nullptr;
};

struct fault {
  std::string name;   ///< As it is counted.
  std::string group;  ///< As --faults names it.
  unsigned weight = 1;
  /// What it would take hold of; an empty name: nothing. Then, if that is free, it begins. May throw
  /// std::runtime_error, when the servers do not do as they should.
  std::function<std::string(dice&)> holds;
  std::function<begun(dice&, const std::string& held)> begin;
};

/// Leaves the faults of these groups; no groups: all.
void only_of(std::vector<fault>& kinds, const std::vector<std::string>& groups);

/// Runs on a thread of its own from `start` to `stop`.
class schedule {
 public:
  /// `recover` is called when a fault did not go as planned; it may throw std::runtime_error.
  schedule(std::vector<fault> kinds, std::chrono::milliseconds pause, std::uint64_t seed, diary& log,
           std::function<void()> recover = nullptr);
  ~schedule() { stop(); }
  schedule(const schedule&) = delete;
  schedule& operator=(const schedule&) = delete;

  void start();
  /// Mends everything.
  void stop();

 private:
  void run();
  void mend(bool all);
  void break_something();
  void went_wrong(const std::string& what, const char* why);

  const std::vector<fault> kinds_;
  const std::chrono::milliseconds pause_;
  dice chance_;
  diary& log_;
  const std::function<void()> recover_;
  std::multimap<std::int64_t, begun> open_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace chaos
