// stream_engine: the write engine whose log is in Redis. A put waits for its group, which one thread appends to the
// streams in one pipeline. Another keeps the leases of partitions, and asks what has become of this process's writes
// where others drain. A third drains the partitions whose leases are held: it reads entries into a write_queue for
// each, gives batches to the source, and then takes the entries out of the stream.
// All that a drainer knows of a partition belongs to its lease: with another lease it begins anew, with what the group
// was given and nobody has dealt with.
#pragma once

#include "engine_base.hpp"
#include "own_writes.hpp"
#include "write_queue.hpp"
#include "write_stream.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seawall::source {

struct accepted_write {
  stream_id id = {};
  operation_ptr operation = nullptr;
};

/// Writers whose writes go to the streams together; each has a result of its own.
class stream_group {
 public:
  void finish(std::vector<result<accepted_write>> outcomes);
  /// Nothing: not within the time.
  std::optional<result<accepted_write>> wait_until(time_point until, std::size_t place);
  /// After it has finished: operations whose callers did not wait for them.
  std::vector<operation_ptr> left() const;

 private:
  std::mutex mutex_;
  std::condition_variable finished_;
  bool done_ = false;
  std::vector<result<accepted_write>> outcomes_;
  std::vector<std::size_t> left_;
};

/// What the draining thread knows of a partition.
struct stream_drain {
  stream_lease lease = {};
  std::unique_ptr<write_queue> queue = nullptr;
  std::unordered_map<std::string, std::deque<stream_id>> unsettled = {};  ///< by key, ascending
  std::vector<stream_id> done = {};        ///< to be taken out of the stream
  stream_id seen = {};                     ///< the last one that was read
  std::uint64_t last = 0;                  ///< sequence in the queue
  bool history = true;                     ///< what the group was given behind `seen` comes first
  std::size_t page = 16;                   ///< how many are read next
  time_point last_read = time_point{};
  time_point next_read = time_point{};
  time_point next_settle = time_point{};
};

class stream_engine final : public engine_base {
 public:
  stream_engine(engine_options how, engine_hooks hooks);
  ~stream_engine() override;

  result<void> open();

  result<write_receipt> submit(bool removed, std::string key, std::string value, duration limit) override;
  operation_ptr pending(std::string_view key) const override;
  write_behind_stats stats() const override;
  std::vector<stored_letter> letters() const override;
  result<void> replay(std::uint64_t sequence) override;
  result<void> discard(std::uint64_t sequence) override;

 private:
  struct held_lease {
    stream_lease lease = {};
    time_point until = time_point{};
    bool had_group = false;
  };

  load kept() const override { return {.count = own_.size(), .bytes = own_.bytes()}; }
  std::function<std::size_t()> accepted_by_now() const override;
  void stop_others() override;
  result<void> close_with(const error&) override { return {}; }  // what is left is in the stream
  result<void> wait_applied(locked& lock, const accepted_write& write, time_point until);

  void commit_loop();
  void commit_staged(locked& lock);

  void keep_loop();
  void hold_leases(locked& lock);
  std::string take_lease(unsigned partition, stream_lease lease, time_point asked);
  void ask_for_gone(locked& lock, bool everywhere);
  void note_letters();
  bool holds(unsigned partition, time_point now) const noexcept;

  void drain_loop();
  time_point drain(unsigned partition);
  bool has_lease(unsigned partition);
  bool read_more(unsigned partition, bool hurried, bool news);
  void take_in(stream_drain& at, std::vector<stream_record> records);
  void apply(unsigned partition, const std::vector<operation_ptr>& batch);
  bool bury(unsigned partition, const operation_ptr& operation, const error& reason);
  bool settle(unsigned partition);
  void lose(unsigned partition, bool gives_back);
  std::vector<stream_id> ids_of(stream_drain& at, const stored_operation& operation) const;
  void note_settled(unsigned partition, std::span<const stream_id> ids, std::span<const operation_ptr> operations);

  write_stream stream_;

  // Guarded by mutex_, up to the next empty line.
  std::condition_variable committer_, keeper_;
  std::vector<staged_write> staged_;
  std::shared_ptr<stream_group> staged_group_;
  own_writes own_;
  bool appending_ = false;
  std::set<std::pair<unsigned, stream_id>> early_;  // settled while a group is appended, which may be its own
  std::vector<held_lease> leases_;              // by partition
  std::vector<bool> news_;                      // by partition: this process has put something there
  time_point next_hold_ = time_point{};
  bool keeper_wakes_ = false;
  bool unreachable_ = false;

  std::vector<stream_drain> drains_;            // of the draining thread
  unsigned failures_ = 0;                       // batches, one after another

  std::thread keep_thread_;                     // guarded by closing_
};

constexpr bool is_shared(acknowledged level) noexcept {
  return level == acknowledged::redis || level == acknowledged::redis_replicated;
}

/// `how` is valid.
result<std::shared_ptr<write_engine>> open_stream_engine(engine_options how, engine_hooks hooks);

}  // namespace seawall::source
