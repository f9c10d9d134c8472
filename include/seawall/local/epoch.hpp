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

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace seawall::local {

class epoch_domain {
  struct alignas(64) line {
    std::atomic<std::uint64_t> epoch{0};  // what the owner reads under; 0: it reads nothing
  };

 public:
  /// `owners` threads get a line of their own; rounded up to a power of two.
  explicit epoch_domain(std::size_t owners = counter_block::default_stripes());

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

  /// The epoch to retire with what was unlinked before the call.
  std::uint64_t current() const noexcept { return epoch_.load(std::memory_order_seq_cst); }

  /// Begins a new epoch if it can; answers the bound: what was retired with an epoch below it is out of all hands.
  std::uint64_t advance();

 private:
  std::atomic<std::uint64_t>* pin_shared() noexcept;

  const std::uint32_t owned_;
  const bool asymmetric_;
  const std::unique_ptr<line[]> lines_;
  alignas(64) std::atomic<std::uint64_t> epoch_{2};
  alignas(64) std::atomic<std::uint64_t> shared_[2]{};  // readers without a line, by the parity of their epoch
  small_mutex advancing_;
};

}  // namespace seawall::local
