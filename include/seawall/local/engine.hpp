// The in-process engine: a bounded concurrent map from keys to values that live in it for a while. A typed cover over
// `store`, which has the machinery. It knows nothing of loading, of staleness rules or of statistics beyond its own.
//
// Reading takes no lock and writes at most a byte of the entry. What is read stays valid while the caller holds the
// guard of `pin`. Values are immutable once stored, but for what a value itself makes atomic.
//
// No operation runs the destructor of a value that was stored, nor the listener: `tidy` does, and is to be called where
// user code may run, after each operation that writes.
// Thread safety: all members may be called from any thread at once. `Eq` runs under a lock of the table's.
#pragma once

#include "seawall/local/store.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::local {

/// What is kept beside a value.
struct entry_meta {
  std::int64_t deadline = INT64_MAX;  ///< Nanoseconds on the cache's clock; from here on, or a millisecond before, it
                                      ///< is not found: it is rounded down to a tick (entry_header.hpp).
  std::size_t weight = 1;             ///< 0: pinned. From 4096 on rounded up by less than 1/2048.
  std::uint8_t profile = 0;           ///< The owner's; below entry_header::profiles.
  bool moves = false;                 ///< The deadline may be set anew while the entry is there.
};

enum class put_result {
  inserted,  ///< There was nothing, or it had expired.
  replaced,  ///< The old value is gone.
  unwanted,  ///< The condition did not hold; nothing has changed.
  refused,   ///< There is no room for it; what was there is gone too.
};

template <class K, class V, class Eq>
class engine {
  struct payload {
    K key;
    V value;
  };
  static constexpr std::size_t round_up(std::size_t size, std::size_t to) { return (size + to - 1) / to * to; }
  static constexpr std::size_t alignment = alignof(payload) > 8 ? alignof(payload) : 8;
  static constexpr std::size_t offset = round_up(sizeof(entry_header), alignment);

 public:
  /// Bytes that an entry takes: bookkeeping, key and value.
  static constexpr std::size_t entry_size = round_up(offset + sizeof(payload), alignment);
  /// And what it takes elsewhere, in the table (10), the queues (4) and the sketch (8), rounded up.
  static constexpr std::size_t shared_size = 24;
  static constexpr bool plain_data = std::is_trivially_destructible_v<payload>;
  using listener = std::function<void(const K&, const V&, removal_cause)>;

  /// `options.entry_size`, `plain_data` and `notifies` are filled in. The listener must not throw.
  explicit engine(store_options options, Eq equal = {}, listener on_removal = {})
      : equal_(std::move(equal)), listener_(std::move(on_removal)), store_(completed(options, listener_ != nullptr)) {}
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  /// The listener is not called for what is still there.
  ~engine() { store_.dismantle(destroy); }

  /// While it lives, what was read stays valid.
  [[gnu::always_inline]] epoch_domain::guard pin() const noexcept { return epoch_domain::guard{store_.epochs()}; }

  /// A reference to a stored entry, valid under the guard.
  struct view {
    entry_header* header = nullptr;

    explicit operator bool() const noexcept { return header != nullptr; }
    const K& key() const noexcept { return payload_of(*header).key; }
    V& value() const noexcept { return payload_of(*header).value; }
    bool operator==(const view&) const noexcept = default;
  };

  /// The key of a stored entry. Requires: a guard.
  static const K& key_of(const entry_header& entry) noexcept { return payload_of(entry).key; }

  /// What is stored under the key, expired or not. Requires: a guard.
  template <class Q>
  [[gnu::always_inline]] view find(const Q& key, std::size_t hash) const {
    return {store_.find(hash, matcher(key))};
  }
  /// Counts a use of what was found under the hash, with its life as it was just seen.
  [[gnu::always_inline]] void use(const view& found, entry_header::life seen, std::size_t hash) noexcept {
    store_.use(*found.header, seen, key_hash{hash});
  }

  epoch_domain& epochs() const noexcept { return store_.epochs(); }

  /// Starts to fetch what a change under the hash will touch first. Requires: a guard.
  void prefetch(std::size_t hash) const noexcept { store_.prefetch(key_hash{hash}); }

  /// Calls `visit(V&, entry_header&)` for an entry that is there and not expired at `now`; counts as a use when the
  /// visitor answers true. Returns whether it was called. An entry that has expired is removed.
  template <class Q, class F>
  [[gnu::always_inline]] bool read(const Q& key, std::size_t hash, time_point now, F&& visit) {
    const epoch_domain::quick_guard quick{store_.epochs()};
    if (quick) [[likely]] return read_under_guard(key, hash, now, visit);
    return read_with_any_guard(key, hash, now, visit);
  }

  /// Stores a value if `allow(view current)` says yes; current is empty when nothing is there or it has expired.
  /// `allow` runs under a lock and must only look. Strong guarantee: when it throws, nothing has changed.
  template <class Q, class Allow>
  put_result put(Q&& key, std::size_t hash, V value, const entry_meta& meta, time_point now, Allow&& allow) {
    const auto guard = pin();
    store_.prefetch(key_hash{hash});
    if (meta.weight > store_.heaviest() || meta.weight > UINT32_MAX) return refuse(key, hash, now, allow);
    entry_header& fresh = store_.allocate(key_hash{hash});
    fresh.set(meta.deadline, meta.weight, meta.profile, meta.moves);
    try {
      ::new (static_cast<void*>(reinterpret_cast<std::byte*>(&fresh) + offset))
          payload{K(std::forward<Q>(key)), std::move(value)};
    } catch (...) {
      store_.discard(fresh);
      throw;
    }
    const K& stored = payload_of(fresh).key;
    try {
      return publish(stored, hash, fresh, now, allow);
    } catch (...) {
      destroy(fresh);
      store_.discard(fresh);
      throw;
    }
  }
  template <class Q>
  put_result put(Q&& key, std::size_t hash, V value, const entry_meta& meta, time_point now) {
    return put(std::forward<Q>(key), hash, std::move(value), meta, now, [](const view&) { return true; });
  }

  /// Removes the key's entry if `allow(view current)` says yes; false when there was none.
  template <class Q, class Allow>
  bool erase(const Q& key, std::size_t hash, time_point now, removal_cause cause, Allow&& allow) {
    const auto guard = pin();
    const auto done = store_.write(key_hash{hash}, nullptr, now, cause, matcher(key), [&](entry_header* current) {
      return current == nullptr || allow(view{current});
    });
    return done.done && done.before != nullptr;
  }
  template <class Q>
  bool erase(const Q& key, std::size_t hash, time_point now, removal_cause cause) {
    return erase(key, hash, now, cause, [](const view&) { return true; });
  }

  /// Removes every entry that was there when it was called, a few hundred at a time; nobody waits for it.
  /// Tidies as it goes, so destructors and listener run.
  void clear(removal_cause cause) {
    store_.clear(cause, [this] { tidy(); });
    tidy_all();
    store_.shrink();
    tidy_all();
  }
  void resize(std::size_t capacity, std::size_t max_weight, time_point now) {
    store_.resize(capacity, max_weight, now);
  }

  /// Calls `visit(view)` for the entries that are there all the while, and perhaps for others. No lock is held.
  template <class F>
  void for_each(F&& visit) {
    const auto guard = pin();
    store_.for_each([&](entry_header& entry) { visit(view{&entry}); });
  }
  /// The same in pieces of a few hundred; `between()` is called after each, without a guard: it may write and tidy.
  template <class F, class Between>
  void for_each_in_pieces(F&& visit, Between&& between) {
    for (std::uint64_t from = 0; from < store::end_of_hashes;) {
      {
        const auto guard = pin();
        from = store_.for_each_from(from, [&](entry_header& entry) { visit(view{&entry}); });
      }
      between();
    }
  }
  /// Up to `count` entries in the order of the policy. Requires: a guard.
  std::vector<entry_header*> ordered(std::size_t count, bool hottest, time_point now) {
    return store_.ordered(count, hottest, now);
  }

  /// Runs the destructors and the listener for what was removed.
  void tidy() {
    store_.tidy(destroy, [this](const removal& one) { tell(one); });
  }
  void tidy_all() {
    store_.tidy_all(destroy, [this](const removal& one) { tell(one); });
  }
  /// See store::sweep; also tidies.
  time_point sweep(time_point now, std::size_t chunks) {
    const time_point next = store_.sweep(now, chunks);
    tidy_all();
    return next;
  }

  std::size_t size() const noexcept { return store_.size(); }
  std::size_t capacity() const noexcept { return store_.capacity(); }
  std::size_t max_weight() const noexcept { return store_.max_weight(); }
  void fill(cache_stats& stats) { store_.fill(stats); }
  store& machinery() noexcept { return store_; }

 private:
  template <class Q, class F>
  [[gnu::always_inline]] bool read_under_guard(const Q& key, std::size_t hash, time_point now, F& visit) {
    const view found = find(key, hash);
    if (!found) return false;
    const auto seen = found.header->now();
    if (seen.deadline() <= now.time_since_epoch().count()) [[unlikely]] {
      erase(key, hash, now, removal_cause::expired, [](const view&) { return false; });
      return false;
    }
    if (visit(found.value(), *found.header)) use(found, seen, hash);
    return true;
  }
  template <class Q, class F>
  [[gnu::noinline]] bool read_with_any_guard(const Q& key, std::size_t hash, time_point now, F& visit) {
    const auto guard = pin();
    return read_under_guard(key, hash, now, visit);
  }

  static payload& payload_of(const entry_header& entry) noexcept {
    auto* const at = reinterpret_cast<std::byte*>(const_cast<entry_header*>(&entry)) + offset;
    return *std::launder(reinterpret_cast<payload*>(at));
  }
  static void destroy(entry_header& entry) noexcept { payload_of(entry).~payload(); }

  static store_options completed(store_options options, bool notifies) {
    options.entry_size = entry_size;
    options.plain_data = plain_data;
    options.notifies = notifies;
    return options;
  }

  template <class Q>
  auto matcher(const Q& key) const {
    return [this, &key](const entry_header& entry) { return equal_(payload_of(entry).key, key); };
  }

  void tell(const removal& one) noexcept {
    const payload& gone = payload_of(*one.entry);
    listener_(gone.key, gone.value, one.cause);
  }

  template <class Q, class Allow>
  put_result refuse(const Q& key, std::size_t hash, time_point now, Allow&& allow) {
    const auto done = store_.write(key_hash{hash}, nullptr, now, removal_cause::replaced, matcher(key),
                                   [&](entry_header* current) { return allow(view{current}); });
    if (!done.done) return put_result::unwanted;
    store_.count_removal(removal_cause::capacity);
    return put_result::refused;
  }

  // Where entries may be refused: whether there is room. A value that replaces another takes no more room, unless it is
  // heavier: `must_replace` says so, and that other one must still be there then.
  bool make_room(const K& key, std::size_t hash, entry_header& fresh, time_point now, bool& must_replace) {
    const entry_header* there = store_.find(hash, matcher(key));
    if (there != nullptr && there->expired(now.time_since_epoch().count())) {
      // It makes room when it goes. If it has just been replaced, it is looked for again.
      const auto nothing = [](const entry_header* current) { return current == nullptr; };
      store_.write(key_hash{hash}, nullptr, now, removal_cause::expired, matcher(key), nothing);
      there = store_.find(hash, matcher(key));
    }
    must_replace = there != nullptr && fresh.weight() <= there->weight();
    return must_replace || store_.reserve(fresh, now);
  }

  template <class Allow>
  [[gnu::always_inline]] put_result publish(const K& key, std::size_t hash, entry_header& fresh, time_point now,
                                            Allow&& allow) {
    const key_hash where{hash};
    for (;;) {
      bool must_replace = false;
      if (store_.refuses() && !make_room(key, hash, fresh, now, must_replace)) {
        const put_result result = refuse(key, hash, now, allow);
        destroy(fresh);
        store_.discard(fresh);
        return result;
      }
      bool vanished = false;
      const auto still_wanted = [&](entry_header* current) {
        vanished = must_replace && (current == nullptr || current->weight() < fresh.weight());
        return !vanished && allow(view{current});
      };
      const auto done = store_.write(where, &fresh, now, removal_cause::replaced, matcher(key), still_wanted);
      if (vanished) continue;
      if (done.done) return done.before != nullptr ? put_result::replaced : put_result::inserted;
      destroy(fresh);
      store_.discard(fresh);
      return put_result::unwanted;
    }
  }

  [[no_unique_address]] const Eq equal_;
  const listener listener_;
  store store_;
};

}  // namespace seawall::local
