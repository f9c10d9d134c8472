// undelivered: the keys whose invalidation did not reach the store. Until it does, what the store has of them is not to
// be used. Bounded: if too many come, a whole namespace takes the place of its keys. No I/O, no clock.
//
// A key that is taken for delivery still counts; if it is added again meanwhile, that delivery may have come too early,
// and it stays to be delivered once more.
#pragma once

#include "seawall/tier/tuning.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seawall::tier {

/// Thread safety: none, its owner guards it, except that size() may be called by any thread at any time.
class undelivered {
 public:
  /// What is to be invalidated: a key, or all keys that begin with it.
  struct item {
    std::string name{};
    bool prefix = false;  ///< With an empty name: all keys of the store that are caches' entries.
    std::uint64_t sequence = 0;
    bool has_lease = false;  ///< Beside it, which goes as well.

    friend bool operator==(const item&, const item&) = default;
  };
  /// The beginning of a key that is the name of its namespace, which can be cleared: "users:" of "users:7".
  using namespace_of = std::function<std::string_view(std::string_view key)>;

  explicit undelivered(namespace_of divide, undelivered_limits limits = {});

  undelivered(const undelivered&) = delete;
  undelivered& operator=(const undelivered&) = delete;

  /// The invalidation of `key` is to be delivered, at a moment after this one. Beyond the limits, the namespace that
  /// holds the most bytes takes the place of its keys; beyond `most_namespaces` of those, the empty one that of all.
  /// `has_lease`: its value is stored plain.
  void add(std::string_view key, bool has_lease = false);

  /// Whether an invalidation of the key, or of a namespace that it is in, is not delivered yet.
  bool contains(std::string_view key) const;

  /// Up to `most` items for delivery, the namespaces first, then the keys in the order in which they were added. They
  /// stay in the set, and are not taken again until they are put back.
  std::vector<item> take_batch(std::size_t most);
  /// Items of a batch were delivered: they leave the set, but for those that were added again since they were taken.
  void delivered(std::span<const item> batch);
  /// Items of a batch were not delivered: they are taken next again.
  void put_back(std::span<const item> batch);

  /// Keys and namespaces in the set, taken ones included. Zero: contains() is false for all keys that were added before
  /// this was called, and nobody need lock to know.
  std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
  /// Bytes of the keys in the set.
  std::size_t bytes() const noexcept { return bytes_; }
  /// How often a namespace took the place of its keys.
  std::uint64_t overflows() const noexcept { return overflows_; }

  static constexpr std::size_t most_namespaces = 1000;

 private:
  struct place {
    std::string key;
    std::size_t divided = 0;  // bytes of the key that name its namespace
    std::uint64_t sequence = 0;
    bool taken = false;
    bool has_lease = false;
  };
  using places = std::list<place>;
  struct share {
    std::size_t keys = 0;
    std::size_t bytes = 0;
  };
  struct whole {
    std::uint64_t sequence = 0;
    bool taken = false;
  };

  bool covered(std::string_view key) const;
  void overflow();
  void drop_keys(std::string_view of);
  void erase(places::iterator which);
  void publish() noexcept;

  const namespace_of divide_;
  const undelivered_limits limits_;
  std::uint64_t sequence_ = 0;
  places waiting_;  // in the order in which they are taken
  places taken_;
  std::unordered_map<std::string_view, places::iterator> index_;  // views of the places' keys
  std::map<std::string, share, std::less<>> held_;    // the keys, by namespace
  std::map<std::string, whole, std::less<>> wholes_;  // namespaces that took the place of their keys
  std::size_t bytes_ = 0;
  std::uint64_t overflows_ = 0;
  std::atomic<std::size_t> size_{0};
};

}  // namespace seawall::tier
