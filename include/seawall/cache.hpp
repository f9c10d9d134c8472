// cache<K, V>: the layer in front of a slow source.
//
//   seawall::cache<UserId, User> users{{.name = "users", .capacity = 100'000, .ttl = 5min, .stale_for = 1h}};
//   auto user = users.get_or_load(id, [&](UserId id) { return db.find_user(id); });
//   if (!user) return error_reply(user.error());   // the loader's error, or a deadline
//   if (!*user) return not_found();                // the source has no such row; that is cached too
//   ...
//   db.update_user(id, change);                    // commit first,
//   users.invalidate(id);                          // then invalidate
//
// Promises. A value whose load began before an invalidation, a put or a clear is never stored. One load per key runs at
// a time however many callers wait, unless it was given up or cut off by an invalidation. Reads of a key are
// linearizable with its invalidations, but for those that `unlinearized_reads` counts: see docs/guide/guarantees.md.
// Thread safety: every member may be called from any thread at once. Destroy the cache after all calls have returned;
// the destructor asks loads on the executor to stop and waits for them.
// Exceptions: the constructor's; otherwise only std::bad_alloc, std::system_error when the system has no more threads,
// and what the hash, the equality or the copy of a key throws. None of them leaves a key hanging.
#pragma once

#include "seawall/base/hash.hpp"
#include "seawall/cache/blocking.hpp"
#include "seawall/cache/core.hpp"
#include "seawall/cache/core_prefix.hpp"
#include "seawall/cache/entry_view.hpp"

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall {

template <class K, class V, class Hash = hash<K>, class Eq = std::equal_to<>>
class cache {
 public:
  using key_type = K;
  using mapped_type = V;
  using options = cache_options<K, V>;
  using answer = result<value_ptr<V>>;

  /// Throws std::invalid_argument with the sentence of `validate` when an option is out of its range.
  explicit cache(options how = {}) : cache(checked(std::move(how)), std::true_type{}) {}

  /// The same without an exception.
  static result<cache> create(options how) {
    if (auto valid = validate(how); !valid) return std::unexpected(valid.error());
    return cache(std::move(how), std::true_type{});
  }

  cache(cache&&) = default;
  cache& operator=(cache&&) = delete;
  ~cache() {
    if (core_) core_->close();
  }

  // ---- reading ----

  /// The fresh value under the key, or null: nothing there, or a cached absence. Never loads on this thread. With a
  /// shared tier, what is not in the process is asked for there, within the tier's budget.
  template <class Q>
  value_ptr<V> get(const Q& key) {
    decltype(auto) wanted = as_key(key);
    const std::size_t hash = core_->hash_of(wanted);
    lookup<V> found = timed_look(wanted, hash);
    if (seawall::answer_hit(*core_, wanted, found, nullptr)) return std::move(found.value);
    if (found.is == standing::refresh_due) {
      if (const auto& loader = core_->options().loader) {
        core_->refresh(K(wanted), hash, found.written, loader, core_->policy());
      }
      core_->count(core_->class_of(wanted), found.value ? cache_counter::hits : cache_counter::negative_hits);
      return std::move(found.value);
    }
    if (!core_->shared()) {
      core_->count(core_->class_of(wanted), cache_counter::misses);
      return nullptr;
    }
    settings how = settings_of({}, nullptr);
    how.only_looks = true;
    return load(wanted, hash, std::move(found), how, none_).value_or(nullptr);
  }

  /// What is there, fresh or stale, without counting a use; nothing when there is no entry.
  template <class Q>
  std::optional<entry_view<V>> peek(const Q& key) const {
    decltype(auto) wanted = as_key(key);
    std::optional<entry_view<V>> seen;
    core_->inspect(wanted, core_->hash_of(wanted), [&](const local::entry<V>& item, time_point now) {
      seen = entry_view<V>::of(item, now);
    });
    return seen;
  }

  /// Whether a fresh entry is there: a value, or a cached absence.
  template <class Q>
  bool contains(const Q& key) const {
    const auto seen = peek(key);
    return seen && seen->fresh;
  }

  /// The value under the key, loaded if need be; null when the source has no such row. `loader` is what loaded.hpp
  /// says; it runs on this thread, unless another caller's load is under way, and never outlives the call. Wrapped in
  /// `detached` it runs on the executor. Errors: the loader's, or an errc.
  template <class Q, class Loader>
    requires(!std::same_as<std::remove_cvref_t<Loader>, entry_options>)
  answer get_or_load(const Q& key, Loader&& loader, const entry_options& how = no_entry_options) {
    decltype(auto) wanted = as_key(key);
    const std::size_t hash = core_->hash_of(wanted);
    lookup<V> found = timed_look(wanted, hash);
    if (takes(how, found) && seawall::answer_hit(*core_, wanted, found, how.report)) return std::move(found.value);
    if constexpr (detail::is_detached<std::remove_cvref_t<Loader>>) {
      const bound_loader<K, V> owned{std::forward<Loader>(loader).loader};
      return load(wanted, hash, std::move(found), settings_of(how, &owned), none_);
    } else {
      return load(wanted, hash, std::move(found), settings_of(how, nullptr), loader);
    }
  }

  /// The same with the loader of the options. A stale value is returned at once and refreshed in the background, and
  /// the caller leaves at its deadline even when the loader hangs.
  template <class Q>
  answer get_or_load(const Q& key, const entry_options& how = no_entry_options) {
    decltype(auto) wanted = as_key(key);
    const std::size_t hash = core_->hash_of(wanted);
    lookup<V> found = timed_look(wanted, hash);
    if (takes(how, found) && seawall::answer_hit(*core_, wanted, found, how.report)) return std::move(found.value);
    const auto& bound = core_->options().loader;
    return load(wanted, hash, std::move(found), settings_of(how, bound ? &bound : nullptr), none_);
  }

  /// The values of many keys, in their order. What is missing is loaded by one call of `loader(std::span<const K>)`,
  /// which returns a vector in the order of its keys or a map from keys (or a result<> of one), with any of the
  /// answers of a loader in it; what others are loading is waited for. Each key has its own outcome.
  template <class Loader>
  std::vector<answer> get_many(std::span<const K> keys, Loader&& loader, const entry_options& how = no_entry_options) {
    std::vector<answer> answers;
    answers.reserve(keys.size());
    std::vector<bulk_request<core_type>> missing;
    std::vector<std::size_t> places;
    for (const K& key : keys) {
      const std::size_t hash = core_->hash_of(key);
      lookup<V> found = core_->look(key, hash);
      if (takes(how, found) && seawall::answer_hit(*core_, key, found, nullptr)) {
        answers.emplace_back(std::move(found.value));
        continue;
      }
      places.push_back(answers.size());
      answers.emplace_back(nullptr);
      missing.push_back({key, hash, std::move(found)});
    }
    if (missing.empty()) return answers;
    settings each = settings_of(how, nullptr);
    each.report = nullptr;
    auto loaded = detail::load_many_blocking(core_, std::move(missing), each, loader);
    for (std::size_t i = 0; i != places.size(); ++i) answers[places[i]] = std::move(loaded[i]);
    return answers;
  }

  // ---- writing ----

  /// Stores a value that is known to be right now. A load in progress will not overwrite it. With a `version`, nothing
  /// newer is replaced; from the return on, this process serves nothing older. With a shared tier: removes the key, as
  /// `invalidate` does, or else, with a `version`, replaces what is older there, and stores nothing where nothing is.
  void put(K key, V value, const entry_options& how = no_entry_options) {
    put(std::move(key), std::make_shared<const V>(std::move(value)), how);
  }
  void put(K key, value_ptr<V> value, const entry_options& how = no_entry_options) {
    const std::size_t hash = core_->hash_of(key);
    core_->put(std::move(key), hash, std::move(value), core_->policy().with(how), how.tags,
               how.version.value_or(0));
  }
  /// Stores that the source has no such row.
  void put_absent(K key, const entry_options& how = no_entry_options) { put(std::move(key), value_ptr<V>{}, how); }

  /// Removes the entry, to be called after the change is committed. From its return on nobody gets the old value: not
  /// from the cache, and not from a load that is under way. Returns whether an entry was there.
  template <class Q>
  bool invalidate(const Q& key) {
    decltype(auto) wanted = as_key(key);
    return core_->invalidate(wanted, core_->hash_of(wanted));
  }

  /// The same for many keys, with one round trip to a shared tier; how many entries were there.
  template <std::ranges::input_range Keys>
  std::size_t invalidate_many(Keys&& keys) {
    std::vector<K> all;
    for (const auto& key : keys) all.emplace_back(key);
    return core_->invalidate_many(all);
  }

  /// Marks the entry stale: served for `stale_for` while one refresh runs, and for `stale_if_error` if that fails.
  /// Returns whether an entry was there.
  template <class Q>
  bool expire(const Q& key) {
    decltype(auto) wanted = as_key(key);
    return core_->expire(wanted, core_->hash_of(wanted));
  }

  /// Removes every entry that was stored with this tag, in O(1): no list of them is kept, their memory comes back as
  /// they are replaced, expire or are evicted. To be called after the commit; from its return on nobody gets them.
  void invalidate_tag(std::string_view tag) { core_->invalidate_tag(tag_list::hash_of(tag)); }

  /// `invalidate` for every key that begins with `prefix`, as its codec (base/codec.hpp) prints it: entries, and loads
  /// under way. Ended `done`: what was there before the call is in no tier. A load that runs meanwhile is not kept in
  /// this process. Takes time for all entries of this process, and with a shared tier for all keys of its database,
  /// by SCAN and UNLINK in steps as `how` says; blocks for so long, so not in a callback of the tier's client.
  /// Errors: errc::invalid_argument (an empty prefix, an option out of its limits), and those of the tier. The process
  /// is clean all the same; the tier forgets nothing later on, as it does for `invalidate`: call it again.
  result<prefix_removal> invalidate_prefix(std::string_view prefix, const prefix_options& how = {}) {
    return prefix_invalidation<core_type>{*core_, prefix, how}.run();
  }

  /// Removes every entry; loads in progress are not stored. False: plain values are left in the shared tier, which
  /// failed; the process is clean all the same. Call it again.
  bool clear() { return core_->clear(); }

  /// Sets new limits, as `capacity` and `max_bytes` of the options, and evicts down to them.
  void resize(std::size_t capacity, std::size_t max_bytes = 0) {
    if (capacity == 0) throw std::invalid_argument("cache '" + name() + "': capacity must be at least 1");
    core_->resize(capacity, max_bytes);
  }

  /// Invalidations that the shared tier keeps, of this cache and of all others over it, since Redis could not be told
  /// yet. 0: whatever this process has invalidated, all others get to know. Without a tier: 0.
  std::size_t undelivered() const { return core_->undelivered(); }

  // ---- measuring ----

  /// Entries, stale ones and cached absences included.
  std::size_t size() const { return core_->size(); }
  const std::string& name() const noexcept { return core_->options().name; }
  cache_stats stats() const { return core_->stats(); }
  /// For exporters; they hold it weakly, so a cache that is gone is no longer exported.
  std::shared_ptr<const stats_source> stats_handle() const { return core_; }

  // ---- asynchronous: include <seawall/async.hpp> ----

  /// get_or_load for Boost.Asio: `token` is any completion token for void(result<value_ptr<V>>). The loader may return
  /// a boost::asio::awaitable; it must outlive the operation, so only lvalues and captureless ones are accepted.
  template <class Q, class Loader, class Token>
    requires(!std::same_as<std::remove_cvref_t<Loader>, entry_options>)
  auto async_get_or_load(const Q& key, Loader&& loader, const entry_options& how, Token&& token);
  template <class Q, class Loader, class Token>
    requires(!std::same_as<std::remove_cvref_t<Loader>, entry_options> &&
             !std::same_as<std::remove_cvref_t<Token>, entry_options>)
  auto async_get_or_load(const Q& key, Loader&& loader, Token&& token);
  /// The same with the loader of the options.
  template <class Q, class Token>
  auto async_get_or_load(const Q& key, const entry_options& how, Token&& token);
  template <class Q, class Token>
    requires(!std::same_as<std::remove_cvref_t<Token>, entry_options>)
  auto async_get_or_load(const Q& key, Token&& token);

  /// invalidate for Boost.Asio: `token` is any completion token for void(bool). It is not cancelled: what was begun is
  /// done.
  template <class Q, class Token>
  auto async_invalidate(const Q& key, Token&& token);
  /// put for Boost.Asio, a completion token for void(), not cancelled. `value` is a V or a value_ptr<V> (null: there is
  /// no such row). A temporary that is an aggregate and owns something does not compile: give a named variable.
  template <class Q, class Value, class Token>
  auto async_put(const Q& key, Value&& value, const entry_options& how, Token&& token);
  template <class Q, class Value, class Token>
    requires(!std::same_as<std::remove_cvref_t<Token>, entry_options>)
  auto async_put(const Q& key, Value&& value, Token&& token);
  /// invalidate_prefix for Boost.Asio: a completion token for void(result<prefix_removal>). It blocks a thread of the
  /// cache's executor, where `on_progress` is called too; what that throws is the error. The stop token of `how`, a
  /// named variable that is copied, ends it early.
  template <class Token>
  auto async_invalidate_prefix(std::string_view prefix, const prefix_options& how, Token&& token);
  template <class Token>
  auto async_invalidate_prefix(std::string_view prefix, const prefix_options&& how, Token&& token) = delete;
  template <class Token>
  auto async_invalidate_prefix(std::string_view prefix, Token&& token);
  /// invalidate_tag for Boost.Asio: a completion token for void().
  template <class Token>
  auto async_invalidate_tag(std::string_view tag, Token&& token);

 private:
  using core_type = core<K, V, Hash, Eq>;
  using settings = typename load_op<core_type>::settings;

  cache(options how, std::true_type) {
    if (how.seed == 0) how.seed = entropy_seed();
    std::shared_ptr<clock> time = how.clock ? how.clock : make_steady_clock();
    pool_ = how.executor ? how.executor : make_thread_pool({.max_threads = std::min<std::size_t>(
                                               how.max_concurrent_loads, 4096)});
    const Hash hash = detail::seeded_hash<Hash>(how.seed);
    core_ = std::make_shared<core_type>(std::move(how), hash, Eq{}, std::move(time), pool_);
    core_->attach();
  }

  static options checked(options how) {
    if (auto valid = validate(how); !valid) throw std::invalid_argument(valid.error().message());
    return how;
  }

  template <class Q>
  static decltype(auto) as_key(const Q& key) {
    return detail::as_key<Hash, Eq, K>(key);
  }

  template <class Q>
  lookup<V> timed_look(const Q& key, std::size_t hash) {
    if (!cache_recorder::sample_lookup()) [[likely]] return core_->look(key, hash);
    const time_point begin = core_->time().now();
    lookup<V> found = core_->look(key, hash);
    core_->recorder().lookup_time().record(core_->time().now() - begin);
    return found;
  }

  // Whether what is in this process may be an answer.
  bool takes(const entry_options& how, const lookup<V>& found) const noexcept {
    if (!how.consistency) return true;
    return !(how.consistency->is_fresh() && core_->shared()) && found.version >= how.consistency->version();
  }

  settings settings_of(const entry_options& how, const bound_loader<K, V>* loader) const {
    return {.loader = loader,
            .policy = core_->policy().with(how),
            .deadline = how.deadline.value_or(core_->options().deadline),
            .tags = how.tags,
            .fresh = how.consistency == consistency::fresh,
            .at_least = how.consistency.value_or(consistency::any).version(),
            .report = how.report};
  }

  template <class Q, class Loader>
  answer load(const Q& key, std::size_t hash, lookup<V> found, const settings& how, Loader& loader) {
    return detail::load_blocking(core_, K(key), hash, std::move(found), how, loader);
  }

  std::shared_ptr<executor> pool_;  // destroyed last: it waits for the loads that still run
  std::shared_ptr<core_type> core_;
  [[no_unique_address]] detail::no_loader none_;
};

}  // namespace seawall
