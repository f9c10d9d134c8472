#include "seawall/metrics/counter.hpp"

namespace seawall::detail {
namespace {

constinit std::atomic<std::uint64_t> slots_taken{0};         // bit i: a living thread owns slot i
constinit std::atomic<std::uint32_t> shared_slots_given{0};  // spreads the other threads over the shared stripes

std::uint32_t shared_slot() noexcept {
  return max_owned_slots + shared_slots_given.fetch_add(1, std::memory_order_relaxed) % max_owned_slots;
}

/// Gives the thread's slot back when the thread ends. Adds that follow, from destructors that run later, are shared.
struct slot_holder {
  std::uint32_t slot = no_slot;

  ~slot_holder() {
    if (slot == no_slot) return;
    thread_slot = shared_slot();
    slots_taken.fetch_and(~(std::uint64_t{1} << slot), std::memory_order_release);
  }
};

thread_local slot_holder holder;

}  // namespace

std::uint32_t claim_thread_slot() noexcept {
  std::uint64_t taken = slots_taken.load(std::memory_order_relaxed);
  while (~taken != 0) {
    const auto slot = static_cast<std::uint32_t>(std::countr_one(taken));
    // Acquire: the last owner's counts happened before this thread's.
    if (slots_taken.compare_exchange_weak(taken, taken | std::uint64_t{1} << slot, std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
      holder.slot = slot;
      return thread_slot = slot;
    }
  }
  return thread_slot = shared_slot();
}

}  // namespace seawall::detail
