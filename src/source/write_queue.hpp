// write_queue: the operations that wait for the source, as a machine without threads, clock and I/O.
//
// Per key at most one operation waits and at most one is being applied: a later one replaces the one that waits and
// takes its place in the order of keys, and begins when the one before it has ended. A batch holds each key once.
// What was replaced is dealt with only when the one that replaced it is: the window has one entry for both.
// A batch that fails is tried again in halves, down to one operation by itself, so that one which the source refuses is
// found; then only that one waits. It counts as refused only if the source has taken something since it was last tried:
// while nothing succeeds, the source is down, and nobody is to blame.
// Thread safety: none.
#pragma once

#include "sequence_window.hpp"

#include "seawall/base/clock.hpp"
#include "seawall/base/hash.hpp"
#include "seawall/base/random.hpp"
#include "seawall/source/stored_operation.hpp"
#include "seawall/source/write_behind_options.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seawall::source {

class write_queue {
 public:
  write_queue(const write_batch_options& batch, const write_retry_options& retry, std::uint64_t settled_through,
              std::uint64_t seed)
      : batch_(batch), retry_(retry), window_(settled_through), cap_(batch.most), random_(seed) {}

  /// Requires: sequences ascend.
  void add(operation_ptr operation, time_point now);

  /// Sequences up to this one that were not added need nothing. Requires: no smaller than those that were.
  void pass(std::uint64_t sequence) noexcept { window_.pass(sequence); }

  /// The last operation of the key that the source may not have yet; null if there is none.
  operation_ptr pending(std::string_view key) const;
  /// Whether the key's operation, or one that replaced it, has been dealt with.
  bool is_done(std::string_view key, std::uint64_t sequence) const;

  /// The operations to be applied now; none if it is not yet time, or a batch is under way. The batch ends with
  /// `succeeded` or `failed`. With `hurry` nothing lingers.
  std::vector<operation_ptr> take(time_point now, bool hurry = false);
  /// When `take` may have something; `never` if nothing waits or a batch is under way.
  time_point next_due(bool hurry = false) const;

  void succeeded();
  /// `refused`: the error says that this will never succeed. Returns the operation that is to become a dead letter, if
  /// there is one; then `bury` or `keep` must follow.
  operation_ptr failed(time_point now, bool refused);
  /// How often it was tried by itself. Requires: `failed` has returned it.
  unsigned attempts(const operation_ptr& operation) const { return slots_.find(operation->key)->second.attempts; }
  /// It is kept elsewhere.
  void bury(const operation_ptr& operation) { finish(operation); }
  /// It is not: it is tried again.
  void keep(const operation_ptr& operation, time_point now);

  std::size_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept { return bytes_; }
  std::uint64_t coalesced() const noexcept { return coalesced_; }
  const sequence_window& window() const noexcept { return window_; }

 private:
  struct slot {
    operation_ptr running = nullptr;
    operation_ptr waiting = nullptr;
    std::uint64_t rank = 0;        // the first sequence that `waiting` stands for, which the window has
    std::uint64_t running_rank = 0;
    std::uint64_t turn = 0;        // its place among the keys: its rank, or later if it has failed by itself
    time_point since = {};         // when `waiting` came
    time_point delayed = {};       // not in ready_ but in delayed_, under this moment
    unsigned attempts = 0;         // of `running` by itself
    std::uint64_t successes = 0;   // of the queue, when it was last tried by itself
  };
  using slots = std::unordered_map<std::string, slot, hash<std::string>, std::equal_to<>>;

  slot& slot_of(const stored_operation& operation) { return slots_.find(operation.key)->second; }
  void forget(const stored_operation& operation);
  void finish(const operation_ptr& operation);
  void supersede(slot& at);
  void put_back(slot& at, time_point until);
  duration pause(unsigned failures);

  write_batch_options batch_;
  write_retry_options retry_;
  slots slots_;
  std::multimap<std::uint64_t, slot*> ready_;                         // by turn
  std::map<std::pair<time_point, std::uint64_t>, slot*> delayed_;     // by moment and rank
  std::vector<operation_ptr> running_;
  sequence_window window_;
  std::uint64_t last_ = 0;            // sequence that was added
  std::size_t cap_;                   // operations in the next batch
  unsigned lone_failures_ = 0;        // one after another
  time_point closed_until_ = {};      // nothing is tried before
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::size_t ready_bytes_ = 0;
  std::uint64_t coalesced_ = 0;
  std::uint64_t successes_ = 0;
  random_source random_;
};

}  // namespace seawall::source
