// Which entry goes when room is needed. A policy orders the entries of one arena that it was told of; the engine
// decides when to evict and does the removing.
// Thread safety: none; the engine calls a policy under the lock of its shard. Readers meanwhile count uses in the
// headers.
#pragma once

#include "seawall/eviction/arena.hpp"
#include "seawall/eviction/entry_header.hpp"
#include "seawall/eviction/policy_name.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace seawall::eviction {

/// What the entries of one policy may come to. `weight` 0: no limit on the weights, which then do not count.
struct limits {
  std::size_t entries = 0;
  std::size_t weight = 0;
};

class policy {
 public:
  virtual ~policy() = default;
  policy(const policy&) = delete;
  policy& operator=(const policy&) = delete;

  /// A new entry. Requires: header.queue == 0; afterwards it is not, unless the policy does not evict such entries.
  virtual void add(handle which) = 0;
  /// Forgets an entry that left for another reason than eviction. Does nothing when it is in no queue.
  virtual void remove(handle which) = 0;
  /// `now` takes the place of `old`, which is forgotten: a value was replaced under the same key. It counts as a use.
  virtual void replace(handle old, handle now) = 0;
  /// Starts to fetch what `remove` and `replace` of this entry will touch.
  virtual void prefetch(const entry_header&) const noexcept {}
  /// Takes victims out of the queues, the first to go first, until they are `entries` entries and weigh `weight`, or
  /// `into` is full, or nothing is left; answers how many. Requires: !into.empty().
  virtual std::size_t evict(std::size_t entries, std::size_t weight, std::span<handle> into) = 0;

  /// Whether each use should be reported by `used`; otherwise the counter in the header is all that it needs.
  virtual bool wants_uses() const noexcept { return false; }
  /// A use, in the order of the uses. Ignored for an entry that is in no queue.
  virtual void used(handle) {}

  /// The share of the capacity that new entries get, in (0, 1): a window_tuner chooses it. Ignored by most policies.
  virtual void set_window(double) {}
  virtual void resize(const limits& now) = 0;
  /// Forgets all entries without touching them.
  virtual void clear() = 0;
  /// Entries in the queues.
  virtual std::size_t size() const noexcept = 0;

  /// The entries from the one that would stay longest to the one that would go first, or the other way; a snapshot of
  /// the order as far as it is known. Stops when `visit` answers false.
  virtual void visit(bool hottest_first, const std::function<bool(handle)>& visit) const = 0;

 protected:
  policy() = default;
};

std::unique_ptr<policy> make_policy(eviction_policy which, const arena& entries, const limits& room,
                                    std::uint64_t seed);

}  // namespace seawall::eviction
