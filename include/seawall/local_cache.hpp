// local_cache<K, V>: the in-process engine by itself, for values that the program computes or puts. To load from a slow
// source, with one load per key and invalidation, use seawall::cache, which stands on the same engine.
//
//   seawall::local_cache<std::string, session> sessions{{.name = "sessions", .capacity = 50'000, .idle = 30min}};
//   sessions.put(token, session{user});
//   if (std::optional<session> found = sessions.get(token)) serve(*found);
//
// Values are stored once and never changed in place; `get` copies them, `visit` shows them without a copy. Reading
// takes no lock, and counts a use by at most one byte. With lru and lfu every use, and with adaptive those of a sample
// of the keys, is also noted in a buffer, under a lock that is the thread's own as long as there are few threads; it is
// tried only. Thread safety: every member may be called from any thread at once. Operations on one key are
// linearizable. Exceptions: what the copies, moves, hash and equality of K and V throw, and std::bad_alloc; nothing has
// changed then.
#pragma once

#include "seawall/base/lookup.hpp"
#include "seawall/base/random.hpp"
#include "seawall/local/cache_core.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace seawall {

using local::put_result;

template <class K, class V, class Hash = hash<K>, class Eq = std::equal_to<>>
class local_cache {
  using core_type = local::cache_core<K, V, Eq>;
  using view = typename core_type::view;
  using standing = typename core_type::standing;

 public:
  using key_type = K;
  using mapped_type = V;
  using options = local_cache_options<K, V>;

  /// A copy of a value, and how it stands.
  struct found {
    V value;
    bool stale;           ///< Past its ttl, within stale_for.
    time_point deadline;  ///< From here on it is not served at all.
  };

  /// Throws std::invalid_argument with the sentence of `validate` when an option is out of its range.
  explicit local_cache(options how = {}) {
    if (auto valid = validate(how); !valid) throw std::invalid_argument(valid.error().message());
    if (how.seed == 0) how.seed = entropy_seed();
    hash_ = detail::seeded_hash<Hash>(how.seed);
    std::shared_ptr<clock> time = how.clock ? how.clock : make_steady_clock();
    core_ = std::make_shared<core_type>(std::move(how), Eq{}, std::move(time));
  }

  /// A moved-from cache may only be destroyed.
  local_cache(local_cache&&) noexcept = default;
  local_cache& operator=(local_cache&&) = delete;
  /// After it the listener is not called any more, though somebody may still hold the `stats_handle`.
  ~local_cache() {
    if (core_) core_->close();
  }

  // ---- reading: no lock ----

  /// A copy of the fresh value.
  template <class Q>
  std::optional<V> get(const Q& key) {
    std::optional<V> copy;
    visit(key, [&](const V& value) { copy.emplace(value); });
    return copy;
  }
  /// The same into a value of the caller's, which keeps its memory; false when there is none.
  template <class Q>
  bool get(const Q& key, V& into) {
    decltype(auto) wanted = as_key(key);
    return core_->read(wanted, hash_of(wanted), [&into](const V& value) { into = value; });
  }

  /// Calls `look(const V&)` for the fresh value, without a copy; false when there is none. While it runs nothing that
  /// is removed can be freed, so it must be short.
  template <class Q, class F>
  bool visit(const Q& key, F&& look) {
    decltype(auto) wanted = as_key(key);
    return core_->read(wanted, hash_of(wanted), [&look](const V& value) { std::forward<F>(look)(value); });
  }

  /// What is there, fresh or stale. Counts as a use, and as a hit when it is fresh.
  template <class Q>
  std::optional<found> find(const Q& key) {
    decltype(auto) wanted = as_key(key);
    auto& entries = core_->entries();
    const std::size_t hash = hash_of(wanted);
    const auto guard = entries.pin();
    const view seen = entries.find(wanted, hash);
    const standing is = seen ? core_->standing_of(seen, true) : standing::gone;
    core_->count(is == standing::fresh);
    if (is == standing::gone) return std::nullopt;
    entries.use(seen, seen.header->now(), hash);
    return found{std::as_const(seen.value()), is == standing::stale, deadline_of(seen)};
  }

  /// Whether a fresh value is there; no use is counted.
  template <class Q>
  bool contains(const Q& key) const {
    decltype(auto) wanted = as_key(key);
    const auto guard = core_->entries().pin();
    const view seen = core_->entries().find(wanted, hash_of(wanted));
    return seen && core_->standing_of(seen, false) == standing::fresh;
  }

  // ---- writing ----

  /// Stores a value in place of any other. `refused`: it is heavier than a shard of the cache may be, its ttl is not
  /// positive, or nothing may be evicted for it; what was there is gone then, too.
  put_result put(K key, V value, const put_options& how = {}) {
    const std::size_t hash = hash_of(key);
    return core_->put(std::move(key), hash, std::move(value), how, [](const view&) { return true; });
  }
  /// Stores a value if nothing is there: true when it did, false also when it was refused.
  bool put_if_absent(K key, V value, const put_options& how = {}) {
    const std::size_t hash = hash_of(key);
    return core_->put(std::move(key), hash, std::move(value), how, [this](const view& current) {
      return !alive(current);
    }) == put_result::inserted;
  }
  /// Replaces the value that is there: false when there is none.
  bool replace(K key, V value, const put_options& how = {}) {
    const std::size_t hash = hash_of(key);
    return core_->put(std::move(key), hash, std::move(value), how, [this](const view& current) {
      return alive(current);
    }) == put_result::replaced;
  }
  /// Replaces the value if it equals `expected`: compare and swap.
  bool replace_if_equal(K key, const V& expected, V value, const put_options& how = {}) {
    return attempt(key, how, [&](const V* current) -> std::optional<std::optional<V>> {
      if (current == nullptr || !(*current == expected)) return std::nullopt;
      return std::optional<V>(value);
    });
  }

  /// Removes the entry; false when there was none.
  template <class Q>
  bool remove(const Q& key) {
    decltype(auto) wanted = as_key(key);
    auto& core = *core_;
    const bool gone = core.entries().erase(wanted, hash_of(wanted), core.time().now(), removal_cause::invalidated);
    core.entries().tidy();
    return gone;
  }
  /// Removes the entry if `condition(const V&)` holds, atomically; it may be called more than once.
  template <class Q, class F>
  bool remove_if(const Q& key, F&& condition) {
    decltype(auto) wanted = as_key(key);
    const std::size_t hash = hash_of(wanted);
    auto& entries = core_->entries();
    bool gone = false;
    {
      const auto guard = entries.pin();
      for (view seen; !gone;) {
        seen = core_->live(wanted, hash);
        if (!seen || !condition(std::as_const(seen.value()))) break;
        gone = entries.erase(wanted, hash, core_->time().now(), removal_cause::invalidated,
                             [&](const view& current) { return current == seen; });
      }
    }
    entries.tidy();
    return gone;
  }

  /// `change(const V* current)` sees the value (null: none) and answers the new one, or nothing to remove it; atomic
  /// for the key: when another thread got in between it is called again with what is there now. Runs outside all locks.
  /// Returns the new value; nothing when it was removed, or refused as by `put`.
  template <class F>
  std::optional<V> compute(const K& key, F&& change, const put_options& how = {}) {
    std::optional<V> result;
    const bool kept = attempt(key, how, [&](const V* current) -> std::optional<std::optional<V>> {
      result = change(current);
      return std::optional<std::optional<V>>(std::in_place, result);
    });
    if (!kept) result.reset();
    return result;
  }

  /// Removes every entry that was there when it was called. Takes its time (about 0.1 us an entry); nobody waits for
  /// it.
  void clear() {
    core_->entries().clear(removal_cause::cleared);
  }

  /// Sets new limits and evicts down to them.
  void resize(std::size_t capacity, std::size_t max_weight = 0) {
    if (capacity == 0) throw std::invalid_argument("local_cache '" + name() + "': capacity must be at least 1");
    core_->entries().resize(capacity, max_weight, core_->time().now());
    core_->entries().tidy_all();
  }

  // ---- looking around ----

  /// Calls `look(const K&, const V&)` for every fresh or stale entry that is there all the while, and perhaps for some
  /// that come or go meanwhile. No lock is held; what is removed is not freed before it ends.
  template <class F>
  void for_each(F&& look) {
    core_->entries().for_each([&](const view& entry) {
      if (alive(entry)) look(entry.key(), std::as_const(entry.value()));
    });
  }
  /// Copies of up to `count` entries, from the one that would stay longest on; as far as the policy knows.
  std::vector<std::pair<K, V>> hottest(std::size_t count) { return ordered(count, true); }
  /// From the one that would be evicted first on.
  std::vector<std::pair<K, V>> coldest(std::size_t count) { return ordered(count, false); }

  /// Entries, pinned and stale ones included, and those that have expired and were not taken back yet.
  std::size_t size() const noexcept { return core_->entries().size(); }
  std::size_t capacity() const noexcept { return core_->entries().capacity(); }
  const std::string& name() const noexcept { return core_->options().name; }
  cache_stats stats() const { return core_->stats(); }
  /// For exporters; they hold it weakly, so a cache that is gone is no longer exported.
  std::shared_ptr<const stats_source> stats_handle() const { return core_; }
  /// Runs what is due now: evictions, the listener, the destructors of removed values.
  void tidy() { core_->entries().tidy_all(); }
  /// Of the engine, for tests and tools.
  local::store& machinery() noexcept { return core_->entries().machinery(); }

 private:
  template <class Q>
  static decltype(auto) as_key(const Q& key) {
    return detail::as_key<Hash, Eq, K>(key);
  }
  template <class Q>
  std::size_t hash_of(const Q& key) const {
    return detail::table_hash<Hash, K>(hash_, key);
  }

  bool alive(const view& entry) const noexcept {
    return entry && core_->standing_of(entry, false) != standing::gone;
  }
  static time_point deadline_of(const view& entry) noexcept {
    return time_point{duration{entry.header->deadline()}};
  }

  // Until nobody got in between the look and the change. `change` answers nothing to leave things as they are, or what
  // is to be there: a value, or nothing. False when it left them, or the value was refused.
  template <class F>
  bool attempt(const K& key, const put_options& how, F&& change) {
    const std::size_t hash = hash_of(key);
    auto& entries = core_->entries();
    put_result outcome = put_result::unwanted;
    bool wanted = true;
    for (bool done = false; !done;) {
      const auto guard = entries.pin();  // while it lives no other entry can come to the address of this one
      const view seen = core_->live(key, hash);
      std::optional<std::optional<V>> next = change(seen ? &std::as_const(seen.value()) : nullptr);
      const auto unchanged = [&](const view& current) { return alive(current) ? current == seen : !seen; };
      wanted = next.has_value();
      if (!wanted || (!seen && !*next)) break;
      if (*next) done = (outcome = core_->put(key, hash, std::move(**next), how, unchanged)) != put_result::unwanted;
      else done = entries.erase(key, hash, core_->time().now(), removal_cause::invalidated, unchanged);
    }
    entries.tidy();
    return wanted && outcome != put_result::refused;
  }

  std::vector<std::pair<K, V>> ordered(std::size_t count, bool hottest) {
    auto& entries = core_->entries();
    std::vector<std::pair<K, V>> copies;
    {
      const auto guard = entries.pin();
      for (auto* header : entries.ordered(count, hottest, core_->time().now())) {
        const view entry{header};
        copies.emplace_back(entry.key(), std::as_const(entry.value()));
      }
    }
    entries.tidy();
    return copies;
  }

  Hash hash_{};
  std::shared_ptr<core_type> core_;
};

}  // namespace seawall
