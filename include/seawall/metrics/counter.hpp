// counter_block: a fixed number of event counters that many threads add to for about a nanosecond.
//
// The counters live in stripes of whole cache lines. A thread takes a slot when it first adds, and as long as it lives
// it alone writes to the stripe of that slot, with a plain load and store: a locked add costs several times as much.
// When all slots are taken, a thread shares a stripe with others and adds atomically. A thread that ends hands its slot
// on: taking a slot acquires what giving it back released, so no count is lost on the way.
// Reading a counter sums it over the stripes.
//
// Thread safety: all members may be called at the same time by any threads; nothing blocks, and nothing allocates after
// construction but a thread's first add. Counters are accessed with memory_order_relaxed and order nothing around them.
// What a sum promises: weakly consistent (adds that run at the same time may or may not be in it, and two counters are
// not read at the same instant), monotone (a thread never reads less than it read before), exact for every add that
// happened before the read (the adding thread was joined, or synchronized with the reader in some other way).
// Limits: a counter wraps at 2^64. An add from a signal handler, or a block shared by two shared libraries that each
// hide their own copy of Seawall, can lose counts.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

namespace seawall {

namespace detail {

/// Slots 0 .. max_owned_slots-1 belong to one living thread each; a higher number is shared.
inline constexpr std::uint32_t max_owned_slots = 64;
inline constexpr std::uint32_t no_slot = ~std::uint32_t{0};
inline constinit thread_local std::uint32_t thread_slot = no_slot;

/// Takes the lowest free slot for this thread until it ends, or a shared one.
std::uint32_t claim_thread_slot() noexcept;

inline std::uint32_t this_thread_slot() noexcept {
  const std::uint32_t slot = thread_slot;
  return slot == no_slot ? claim_thread_slot() : slot;
}

}  // namespace detail

class counter_block {
 public:
  static constexpr std::size_t min_stripes = 8;
  static constexpr std::size_t max_stripes = detail::max_owned_slots;

  /// The machine's hardware threads, rounded up to a power of two, within `min_stripes`..`max_stripes`.
  static std::size_t default_stripes() noexcept {
    return std::bit_ceil(std::clamp<std::size_t>(std::thread::hardware_concurrency(), min_stripes, max_stripes));
  }

  /// `size` counters at zero. `stripes` threads write to a stripe of their own; it is rounded up to a power of two
  /// within 1..`max_stripes`, and a quarter as many (at least one) are added for the other threads to share.
  explicit counter_block(std::size_t size, std::size_t stripes = default_stripes())
      : size_(size),
        owned_(static_cast<std::uint32_t>(std::bit_ceil(std::clamp<std::size_t>(stripes, 1, max_stripes)))),
        shared_(std::max<std::uint32_t>(1, owned_ / 4)),
        lines_per_stripe_(std::max<std::size_t>(1, (size + line::cells - 1) / line::cells)),
        lines_(std::make_unique<line[]>(lines_per_stripe_ * (owned_ + shared_))) {}

  std::size_t size() const noexcept { return size_; }
  std::size_t stripes() const noexcept { return owned_; }

  /// Adds `n` to counter `i`. Requires: i < size().
  [[gnu::always_inline]] void add(std::size_t i, std::uint64_t n = 1) noexcept {
    const std::uint32_t slot = detail::this_thread_slot();
    if (slot < owned_) [[likely]] {
      auto& mine = cell(slot, i);
      mine.store(mine.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    } else {
      cell(owned_ + (slot & (shared_ - 1)), i).fetch_add(n, std::memory_order_relaxed);
    }
  }

  /// The value of counter `i`. Requires: i < size().
  std::uint64_t sum(std::size_t i) const noexcept {
    std::uint64_t total = 0;
    for (std::size_t stripe = 0; stripe < owned_ + shared_; ++stripe)
      total += cell(stripe, i).load(std::memory_order_relaxed);
    return total;
  }

 private:
  // 128 bytes: two 64-byte lines, which the adjacent-line prefetcher of x86 moves together.
  struct alignas(128) line {
    static constexpr std::size_t cells = 128 / sizeof(std::atomic<std::uint64_t>);
    std::array<std::atomic<std::uint64_t>, cells> values{};
  };

  std::atomic<std::uint64_t>& cell(std::size_t stripe, std::size_t i) const noexcept {
    assert(i < size_);
    return lines_[stripe * lines_per_stripe_ + i / line::cells].values[i % line::cells];
  }

  // Constant after construction; the cells behind lines_ are the only shared writable state.
  std::size_t size_;
  std::uint32_t owned_;   // stripes 0 .. owned_-1 have one writer, the holder of that slot
  std::uint32_t shared_;  // stripes owned_ .. owned_+shared_-1 have any number; a power of two
  std::size_t lines_per_stripe_;
  std::unique_ptr<line[]> lines_;
};

}  // namespace seawall
