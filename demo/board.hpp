// What the processes of one demo have in common: the phase they are in, where they are in the traffic, what each has
// counted, and the record of commits. One process alone has a board of its own.
//
// Process 0 leads: it begins phases and says when they end. Others follow, and answer when they are done.
// Thread safety: as each member says; members without a word: any thread of any process.
#pragma once

#include "commit_record.hpp"
#include "figures.hpp"
#include "shared_memory.hpp"
#include "shop_schema.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace seawall::demo {

struct board_shape {
  std::uint32_t processes = 1;
  std::uint32_t threads = 1;  ///< clients of each process
  shop_size shop{};
};

enum class phase_kind : std::uint32_t { straight, through_seawall };

/// A text that one process writes once and others read; longer ones are cut.
class shared_text {
 public:
  void set(std::string_view text) noexcept;
  /// Empty until it was set.
  std::string get() const;

 private:
  static constexpr std::size_t most = 500;
  std::atomic<std::uint32_t> length_;
  std::array<char, most> text_;
};

/// What one process says to the leader.
struct process_slot {
  static constexpr std::size_t complaint_count = 2;

  std::atomic<bool> ready;          ///< it can begin
  std::atomic<std::uint32_t> done;  ///< the phase that it has finished
  std::atomic<bool> lost;           ///< it has ended: nobody waits for it
  std::atomic<std::uint64_t> untold;  ///< changes of rows here that other processes may not know of yet
  shared_text failure;              ///< why it cannot go on
  std::array<shared_text, complaint_count> complaints;
  std::array<std::atomic<std::uint64_t>, tier_shares::count> shares;  ///< of this phase
};

class board {
 public:
  /// Throws std::system_error.
  explicit board(const board_shape& shape);
  /// The board that another process has handed down; throws std::runtime_error if it is none.
  static std::unique_ptr<board> attach(int descriptor);
  board(board&&) = delete;

  const board_shape& shape() const noexcept { return head_->shape; }
  int descriptor() const noexcept { return memory_.descriptor(); }
  /// A random number of this run.
  std::uint64_t run() const noexcept { return head_->run; }

  commit_record& commits() noexcept { return commits_; }
  process_slot& process(std::size_t index) noexcept { return slots_[index]; }
  client_counters& client(std::size_t process, std::size_t thread) noexcept {
    return counters_[process * head_->shape.threads + thread];
  }

  /// The leader, when nobody is in a phase: counts begin at 0.
  void begin_phase(phase_kind kind, std::uint64_t requests);
  /// Phases begun so far; 0 before the first.
  std::uint32_t phase() const noexcept { return head_->phase; }
  phase_kind kind() const noexcept { return head_->kind; }
  std::uint64_t limit() const noexcept { return head_->limit; }
  /// Takes the next `n` requests of the traffic; the first of them.
  std::uint64_t take(std::uint64_t n) noexcept { return head_->next.fetch_add(n); }
  void end_phase() noexcept { head_->ended = true; }
  bool phase_ended() const noexcept { return head_->ended.load(std::memory_order_relaxed); }
  /// No phase follows.
  void close() noexcept { head_->closed = true; }
  bool closed() const noexcept { return head_->closed; }
  /// All processes can begin, or are lost.
  bool everybody_ready() const noexcept;
  /// All processes have finished the phase, or are lost.
  bool everybody_done() const noexcept;
  /// Changes of rows that some processes may not know of yet: the tier could not be told of them.
  std::uint64_t untold() const noexcept;
  /// Counts of all processes in this phase.
  figures total() const;

 private:
  struct head {
    std::uint64_t magic;
    std::uint64_t run;
    board_shape shape;
    alignas(64) std::atomic<std::uint32_t> phase;
    std::atomic<phase_kind> kind;
    std::atomic<std::uint64_t> limit;
    std::atomic<bool> ended;
    std::atomic<bool> closed;
    alignas(64) std::atomic<std::uint64_t> next;
  };
  struct layout;
  board(shared_memory memory, const board_shape& shape);

  shared_memory memory_;
  head* head_;
  process_slot* slots_;
  client_counters* counters_;
  commit_record commits_;
};

}  // namespace seawall::demo
