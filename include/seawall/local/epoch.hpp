// Epochs: how the engine knows that no reader holds an entry any more (Fraser, "Practical lock-freedom", 2004). A
// reader pins the epoch while it looks; who unlinks an entry retires it with the epoch of that moment, and frees it
// when every pinned epoch is younger.
//
// Pinning costs a store to the thread's own line and no fence: `advance` makes all cores pass one, by membarrier(2).
// Without that system call (old kernels, some sandboxes) readers pay for a fence themselves.
//
// Thread safety: all members may be called from any thread at once. Threads that own a slot (see counter.hpp) have a
// line of their own; all others share two counters.
#pragma once

#include "seawall/local/schedule_point.hpp"
#include "seawall/local/small_mutex.hpp"
#include "seawall/metrics/counter.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seawall::local {

class epoch_domain {
 public:
  /// What a thread writes when it reads; opaque.
  struct alignas(64) line {
    std::atomic<std::uint64_t> epoch{0};  // what it reads under; 0: it reads nothing
    std::array<std::atomic<std::uint64_t>, 2> tallies{};
  };

  /// So many threads get a line of their own, at most as many as there are slots.
  explicit epoch_domain(std::uint32_t owners = detail::max_owned_slots);

  /// While a guard lives, nothing that its thread could reach is freed. May be nested. Not to be handed to another
  /// thread, nor kept for long: it holds up the freeing of everything that is removed meanwhile.
  class guard {
   public:
    [[gnu::always_inline]] explicit guard(epoch_domain& domain) noexcept {
      const std::uint32_t slot = detail::this_thread_slot();
      if (slot < domain.owned_) [[likely]] {
        std::atomic<std::uint64_t>& mine = domain.lines_[slot].epoch;
        if (mine.load(std::memory_order_relaxed) != 0) return;  // nested: the outer guard does it
        const std::uint64_t now = domain.epoch_.load(std::memory_order_acquire);
        schedule_point();
        mine.store(now, std::memory_order_release);
        if (domain.asymmetric_) [[likely]] std::atomic_signal_fence(std::memory_order_seq_cst);
        else heavy_pin(mine);
        held_ = &mine;
      } else {
        held_ = domain.pin_shared();
        shared_ = true;
      }
      schedule_point();
    }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    [[gnu::always_inline]] ~guard() {
      if (shared_) [[unlikely]] held_->fetch_sub(1, std::memory_order_release);
      else if (held_ != nullptr) [[likely]] held_->store(0, std::memory_order_release);
    }

   private:
    static void heavy_pin(std::atomic<std::uint64_t>& mine) noexcept;
    std::atomic<std::uint64_t>* held_ = nullptr;  // the thread's line, or a counter; null: nested
    bool shared_ = false;                         // it is a counter
  };

  /// A guard with a third of the instructions, where the calling thread has a line, needs no fence and holds no other
  /// guard, which is nearly always so. Otherwise it is none, and a `guard` is to be taken.
  class quick_guard {
   public:
    [[gnu::always_inline]] explicit quick_guard(epoch_domain& domain) noexcept {
      const std::uint32_t slot = detail::thread_slot;  // a `guard` claims one for a thread that has none yet
      const std::uint64_t now = domain.epoch_.load(std::memory_order_acquire);
      if (slot >= detail::max_owned_slots || (now & not_quick) != 0) [[unlikely]] return;
      line& mine = domain.lines_[slot];
      if (mine.epoch.load(std::memory_order_relaxed) != 0) [[unlikely]] return;
      schedule_point();
      mine.epoch.store(now, std::memory_order_release);
      std::atomic_signal_fence(std::memory_order_seq_cst);
      mine_ = &mine;
      schedule_point();
    }
    quick_guard(const quick_guard&) = delete;
    quick_guard& operator=(const quick_guard&) = delete;
    [[gnu::always_inline]] ~quick_guard() {
      if (mine_ != nullptr) mine_->epoch.store(0, std::memory_order_release);
    }
    explicit operator bool() const noexcept { return mine_ != nullptr; }
    /// As epoch_domain::tally.
    void tally(std::size_t i) const noexcept { add_one(mine_->tallies[i]); }

   private:
    line* mine_ = nullptr;
  };

  /// Adds one to tally `i`, 0 or 1: counters in the lines that reading writes to anyway. As counter_block::add.
  void tally(std::size_t i) noexcept {
    const std::uint32_t slot = detail::this_thread_slot();
    if (slot < owned_) add_one(lines_[slot].tallies[i]);
    else shared_tallies_[i].fetch_add(1, std::memory_order_relaxed);
  }
  /// As counter_block::sum.
  std::uint64_t tallied(std::size_t i) const noexcept;

  /// The epoch to retire with what was unlinked before the call.
  std::uint64_t current() const noexcept { return epoch_.load(std::memory_order_seq_cst); }

  /// Begins a new epoch if it can; answers the bound: what was retired with an epoch below it is out of all hands.
  std::uint64_t advance();

 private:
  // A bit of all epochs of a domain whose threads need a fence, or do not all have a line of their own.
  static constexpr std::uint64_t not_quick = std::uint64_t{1} << 63;

  static void add_one(std::atomic<std::uint64_t>& mine) noexcept {
    mine.store(mine.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  std::atomic<std::uint64_t>* pin_shared() noexcept;

  const std::uint32_t owned_;
  const bool asymmetric_;
  std::array<line, detail::max_owned_slots> lines_;
  alignas(64) std::atomic<std::uint64_t> epoch_;
  alignas(64) std::atomic<std::uint64_t> shared_[2]{};  // readers without a line, by the parity of their epoch
  std::array<std::atomic<std::uint64_t>, 2> shared_tallies_{};
  small_mutex advancing_;
};

}  // namespace seawall::local
