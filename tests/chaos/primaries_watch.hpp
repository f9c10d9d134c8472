// primaries_watch: notices when there may be two primaries of the same keys, which the promises exclude.
//
// Asks all servers all the time for their role. While more call themselves primaries than there should be, or while a
// fault says that there may be, workers excuse what they find and do not count on their invalidations. When that is
// over, all data is removed, since an invalidation may have gone to the primary that is none any more.
#pragma once

#include "schedule.hpp"
#include "truth.hpp"

#include "servers/raw_client.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace chaos {

/// Thread safety: all members.
class primaries_watch {
 public:
  /// The servers' own ports, and how many primaries there should be at most.
  primaries_watch(truth& shared, diary& log, std::vector<std::uint16_t> ports, std::size_t expected);
  ~primaries_watch();
  primaries_watch(const primaries_watch&) = delete;
  primaries_watch& operator=(const primaries_watch&) = delete;

  /// There may be two from here on, until `may_end`: for faults that are known to bring them about.
  void may_begin();
  void may_end() { --known_; }
  /// Whether it was a time of two primaries, or shortly before one was noticed or after one.
  bool covers(std::int64_t moment) const;

 private:
  struct link {
    std::uint16_t port;
    std::optional<seawall::servers::raw_client> client = std::nullopt;
  };

  void run();
  bool is_primary(link& one);
  bool flush_all();
  void open();
  void close();

  truth& shared_;
  diary& log_;
  const std::size_t expected_;
  std::vector<link> links_;
  std::atomic<int> known_{0};
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::vector<std::pair<std::int64_t, std::int64_t>> times_;  // guarded by mutex_; an end of 0: not over
  std::thread thread_;
};

}  // namespace chaos
