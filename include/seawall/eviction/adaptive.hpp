// The default policy: W-TinyLFU (Einziger, Friedman and Manes, ACM TOS 2017) with lazy queues. New entries pass through
// a window; where it ends, an entry stays only if it was asked for more often, by a frequency sketch, than the entry
// that it would displace. Behind the window lie the probation queue, a fifth of the rest, whose entries go when they
// come to its end unused, and the protected queue, a clock, for those that were used. Nothing moves on a hit: a reader
// counts up to three uses in the header, and an eviction looks at them when it comes by. Evictions cost amortised
// constant time, and the least in batches: the memory that a batch will touch is prefetched. With a limit on the
// weights, shares are shares of the weight, and a heavy candidate has to be asked for more often than the entries that
// it would displace are on average, each counted by its weight. Limits: a call of `evict` looks at a bounded number of
// entries, so a hot cache may lose an entry with uses.
// Thread safety: as policy.
#pragma once

#include "seawall/eviction/frequency_sketch.hpp"
#include "seawall/eviction/policy.hpp"
#include "seawall/eviction/segments.hpp"

#include <array>

namespace seawall::eviction {

class victims;

class adaptive final : public policy {
 public:
  /// With a sketch of somebody else's, who counts all uses in it, the policy only reads that one.
  adaptive(const arena& entries, const limits& room, std::uint64_t seed, frequency_sketch* shared = nullptr);

  void add(handle which) override;
  void remove(handle which) override;
  void replace(handle old, handle now) override;
  void prefetch(const entry_header& entry) const noexcept override { queues_.prefetch(entry); }
  std::size_t evict(std::size_t entries, std::size_t weight, std::span<handle> into) override;
  void set_window(double share) override;
  void resize(const limits& now) override;
  void clear() override;
  std::size_t size() const noexcept override;
  void visit(bool hottest_first, const std::function<bool(handle)>& visit) const override;

  /// The queues, by their numbers in entry_header::queue, and what is in them: entries, or weight if that is limited.
  enum queue_id : std::uint8_t { window = 1, probation, protected_ };
  struct usage {
    std::size_t entries;
    std::size_t amount;
    std::size_t limit;
  };
  usage used_by(queue_id which) const noexcept;
  /// Bytes in queues and sketch.
  std::size_t bytes() const noexcept;

 private:
  bool limits_weight() const noexcept { return room_.weight != 0; }
  std::size_t capacity() const noexcept { return limits_weight() ? room_.weight : room_.entries; }
  std::size_t& limit(queue_id of) noexcept { return limits_[of - 1U]; }
  std::size_t limit(queue_id of) const noexcept { return limits_[of - 1U]; }
  bool main_empty() const noexcept { return queues_[probation].empty() && queues_[protected_].empty(); }
  bool window_over() const noexcept { return queues_.amount(window) > limit(window); }
  bool learns() const noexcept { return &sketch_ == &own_; }

  void divide() noexcept;
  void prefetch(std::size_t from_window, std::size_t from_main) const noexcept;
  void drain_window(std::size_t most);
  std::uint32_t leave_window(entry_header& entry) noexcept;

  handle next_victim(std::size_t& budget);
  void shrink_protected(std::size_t& budget);
  void pass(entry_header& entry, std::uint8_t uses_left) noexcept;
  void take(std::uint32_t from, victims& out) noexcept;
  void contest(victims& out, std::size_t& budget);
  void put_off(handle resident);
  bool displace(const entry_header& candidate, std::uint32_t frequency, victims& out, std::size_t& budget);
  bool lucky(std::uint32_t frequency) noexcept;

  const arena& entries_;
  limits room_;
  double window_share_ = 0.01;
  segments queues_;
  std::array<std::size_t, 3> limits_{};  // by queue_id - 1
  std::size_t slack_ = 0;                // how far below the capacity a cache counts as full
  frequency_sketch own_;
  frequency_sketch& sketch_;  // own_, unless shared
  std::uint64_t random_;
};

}  // namespace seawall::eviction
