// write_behind<K, V>: writes that are acknowledged by a log, and applied to the source in batches, later.
//
//   auto writes = seawall::write_behind<int, product>::open({
//       .name = "products",
//       .write = [&](std::span<const seawall::write_operation<int, product>> batch) { return db.upsert(batch); },
//       .log = {.directory = "/var/lib/shop/write-behind"},
//       .cache = &products});
//   if (!writes) return report(writes.error());
//   if (auto done = writes->put(7, changed); !done) return report(done.error());
//   auto found = writes->get_or_load(products, 7, find);   // sees the write, whether the source has it yet or not
//
// The operations of a key reach the source in the order in which they were accepted; of those that wait, only the last
// is applied. An operation may be applied twice: after a crash, or when the source's answer was lost. So `write` must
// be idempotent: guard it with the operation's sequence (`... WHERE version < :sequence`).
// Errors of put and remove: overloaded (no room within the deadline), timed_out (the log, or the source, did not
// answer; the write may yet take effect), closed, invalid_argument (too long), or the system's, with the path, when the
// log cannot be written. After an error of the system the write has not been acknowledged; a crash may bring it back.
// Thread safety: every member may be called from any thread at once. Destroy it after all calls have returned.
#pragma once

#include "seawall/base/codec.hpp"
#include "seawall/cache/bulk_op.hpp"
#include "seawall/cache/loaded.hpp"
#include "seawall/cache/policy.hpp"
#include "seawall/source/invalidated_by_writes.hpp"
#include "seawall/source/write_engine.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall {

template <class K, class V>
struct write_operation {
  K key;
  std::optional<V> value;      ///< nothing: the key is removed
  std::uint64_t sequence = 0;  ///< greater than that of every earlier operation; the guard of an idempotent write
  std::uint64_t fence = 0;     ///< with a stream in Redis: of the lease; greater with each process that takes over

  bool removed() const noexcept { return !value; }
};

/// An operation that the source refused; see docs/guide/write_behind.md.
template <class K, class V>
struct dead_letter {
  std::uint64_t sequence = 0;
  std::optional<K> key = {};    ///< nothing if it cannot be decoded
  std::optional<V> value = {};  ///< nothing when removed, or if it cannot be decoded
  bool removed = false;
  std::string reason = {};
  unsigned attempts = 0;
  std::chrono::system_clock::time_point at = {};
};

template <class K, class V>
struct write_behind_options {
  std::string name;  ///< 1 to 200 bytes; the log knows it
  /// Applies all of the batch or says why not; of each key there is one operation. One call at a time, on a thread of
  /// the write-behind.
  std::function<result<void>(std::span<const write_operation<K, V>>)> write;
  seawall::acknowledged acknowledged = seawall::acknowledged::local_log;
  write_log_options log = {};
  write_redis_options redis = {};
  write_batch_options batch = {};
  write_retry_options retry = {};
  /// Says of an error that trying again is of no use (a violated constraint). None: only attempts tell.
  std::function<bool(const error&)> is_permanent = nullptr;
  seawall::when_full when_full = seawall::when_full::wait;
  std::size_t most_backlog = 100'000;                             ///< operations, accepted and not applied
  std::size_t most_backlog_bytes = std::size_t{256} << 20;        ///< of their keys and values
  std::size_t most_operation_bytes = std::size_t{16} << 20;       ///< of a key and its value
  std::size_t most_dead_letters = 10'000;                         ///< then what is refused stays in the backlog
  duration deadline = std::chrono::seconds{5};                    ///< of put and remove
  duration close_within = std::chrono::seconds{5};                ///< of the destructor
  invalidated_by_writes<K> cache = {};  ///< Told when a write is accepted, and when it has been applied.
  log_hook on_log = nullptr;
};

template <class K, class V>
class write_behind {
 public:
  using operation = write_operation<K, V>;
  using options = write_behind_options<K, V>;

  /// Reads what the log still has, which is applied like new writes, and begins. Errors: an option that is out of its
  /// limits; a directory that cannot be used or that another process has; a damaged log. They name the field or path.
  static result<write_behind> open(options how) {
    if (!how.write) return fail(errc::invalid_argument, "write-behind '" + how.name + "': write must be given");
    auto shared = std::make_shared<const options>(std::move(how));
    auto engine = source::open_write_engine(engine_options_of(*shared), hooks_of(shared));
    if (!engine) return std::unexpected(std::move(engine).error());
    return write_behind(std::move(shared), *std::move(engine));
  }

  write_behind(write_behind&&) noexcept = default;
  write_behind& operator=(write_behind&&) = delete;
  ~write_behind() {
    if (engine_) (void)engine_->close(how_->close_within);
  }

  /// Returns when the write is acknowledged at the level of the options; then every read through `over`, and `pending`,
  /// knows it. Waits at most for `deadline`.
  result<write_receipt> put(const K& key, const V& value) { return submit(key, &value, how_->deadline); }
  result<write_receipt> put(const K& key, const V& value, duration deadline) { return submit(key, &value, deadline); }
  /// The same for a removal.
  result<write_receipt> remove(const K& key) { return submit(key, nullptr, how_->deadline); }
  result<write_receipt> remove(const K& key, duration deadline) { return submit(key, nullptr, deadline); }

  /// The last accepted operation of the key that the source may not have yet.
  std::optional<operation> pending(const K& key) const { return pending_in(*engine_, key); }

  /// What `pending` has (a value, or null for a removal), or else cache.get_or_load(key, over(loader), how). If `cache`
  /// is that of the options, the answer is never older than a write of this object that was acknowledged before the
  /// call, whatever its shared tier holds. `loader` as in loaded.hpp, called on this thread. Errors: as the cache's.
  template <class Cache, class Loader>
    requires(!std::same_as<std::remove_cvref_t<Loader>, entry_options>)
  typename Cache::answer get_or_load(Cache& cache, const K& key, Loader&& loader,
                                     const entry_options& how = no_entry_options) const {
    if (auto newer = buffered_for<Cache>(key, how)) return *std::move(newer);
    return cache.get_or_load(key, over(std::ref(loader)), how);
  }
  /// The same with the loader of the cache's options, which asks the source.
  template <class Cache>
  typename Cache::answer get_or_load(Cache& cache, const K& key, const entry_options& how = no_entry_options) const {
    if (auto newer = buffered_for<Cache>(key, how)) return *std::move(newer);
    return cache.get_or_load(key, how);
  }

  /// The same for many keys, in their order; `loader` is one for cache::get_many, and is asked for what neither the
  /// write-behind nor the cache has.
  template <class Cache, class Loader>
  std::vector<typename Cache::answer> get_many(Cache& cache, std::span<const K> keys, Loader&& loader,
                                               const entry_options& how = no_entry_options) const {
    require_same_types<Cache>();
    std::vector<typename Cache::answer> answers(keys.size());
    const auto rest = without_buffered(*engine_, keys, answers);
    if (rest.keys.empty()) return answers;
    auto found = cache.get_many(std::span<const K>{rest.keys}, over_many(std::ref(loader)), how);
    for (std::size_t i = 0; i != found.size(); ++i) answers[rest.places[i]] = std::move(found[i]);
    return answers;
  }

  /// A loader for the cache that answers from `pending`, which is not stored, or else asks `loader` (see loaded.hpp).
  /// With the option `cache` nothing older than an accepted write is ever stored by it. A shared tier may have an older
  /// value, which is found without it: see get_or_load. `loader` is kept and called as const; what it captures may be
  /// needed for as long as what this returns is.
  template <class Loader>
  auto over(Loader loader) const {
    return [engine = engine_, held = std::move(loader)](const K& key, load_context<V>& context) -> loaded<V> {
      if (auto newer = buffered_in(*engine, key)) return unstored(*std::move(newer));
      return detail::call_loader<V>(held, key, context);
    };
  }

  /// The same for cache::get_many.
  template <class Loader>
  auto over_many(Loader loader) const {
    return [engine = engine_, held = std::move(loader)](std::span<const K> keys) -> std::vector<loaded<V>> {
      std::vector<value_ptr<V>> newer(keys.size());
      const auto rest = without_buffered(*engine, keys, newer);
      std::vector<loaded<V>> answers;
      answers.reserve(keys.size());
      for (value_ptr<V>& one : newer) answers.push_back(unstored(std::move(one)));
      if (rest.keys.empty()) return answers;
      auto found = detail::call_bulk_loader<V>(held, std::span<const K>{rest.keys});
      for (std::size_t i = 0; i != found.size(); ++i) answers[rest.places[i]] = std::move(found[i]);
      return answers;
    };
  }

  /// Waits until all that was accepted before the call is applied or has become a dead letter. `progress` is called on
  /// this thread, after batches. Errors: timed_out, with how many are left.
  result<void> flush(duration limit, const source::flush_progress& progress = nullptr) {
    return engine_->flush(limit, progress);
  }

  /// Takes no more writes, flushes for at most `limit`, and ends after the batch that is being written. With a log,
  /// what is left stays there. Errors: timed_out when something was lost, which is only without a log.
  result<void> close(duration limit) { return engine_->close(limit); }
  result<void> close() { return close(how_->close_within); }

  write_behind_stats stats() const { return engine_->stats(); }
  /// The counters for exporters, which hold it weakly: seawall_write_behind_* with the label write_behind.
  std::shared_ptr<const counter_source> stats_handle() const { return engine_; }
  const std::string& name() const noexcept { return how_->name; }

  // ---- dead letters ----

  std::vector<dead_letter<K, V>> dead_letters() const {
    std::vector<dead_letter<K, V>> all;
    for (source::stored_letter& letter : engine_->letters()) all.push_back(decode_letter(std::move(letter)));
    return all;
  }
  /// Writes it to the source, with its own sequence, and forgets it; one that a later write of the key has overtaken is
  /// only forgotten, by the guard of `write` or because that one waits. Errors: the writer's; it is kept, then.
  result<void> replay(std::uint64_t sequence) { return engine_->replay(sequence); }
  /// Forgets it.
  result<void> discard(std::uint64_t sequence) { return engine_->discard(sequence); }

 private:
  write_behind(std::shared_ptr<const options> how, std::shared_ptr<source::write_engine> engine)
      : how_(std::move(how)), engine_(std::move(engine)) {}

  static source::engine_options engine_options_of(const options& how) {
    return {.name = how.name,
            .acknowledged = how.acknowledged,
            .log = how.log,
            .redis = how.redis,
            .batch = how.batch,
            .retry = how.retry,
            .when_full = how.when_full,
            .most_backlog = how.most_backlog,
            .most_backlog_bytes = how.most_backlog_bytes,
            .most_operation_bytes = how.most_operation_bytes,
            .most_dead_letters = how.most_dead_letters,
            .on_log = how.on_log};
  }

  static source::engine_hooks hooks_of(std::shared_ptr<const options> how) {
    source::engine_hooks hooks;
    hooks.write = [how](std::span<const source::operation_ptr> batch) -> result<void> {
      std::vector<operation> typed;
      typed.reserve(batch.size());
      for (const source::operation_ptr& stored : batch) {
        auto decoded = decode(*stored);
        if (!decoded) return fail(errc::undecodable, decoded.error().message());
        typed.push_back(*std::move(decoded));
      }
      return how->write(typed);
    };
    hooks.is_permanent = how->is_permanent;
    if (how->cache) {
      hooks.settled = [how](std::span<const source::operation_ptr> batch) { how->cache.all(keys_of(batch)); };
    }
    return hooks;
  }

  static std::vector<K> keys_of(std::span<const source::operation_ptr> batch) {
    std::vector<K> keys;
    keys.reserve(batch.size());
    for (const source::operation_ptr& stored : batch) {
      if (auto key = decode_as<K>(stored->key)) keys.push_back(*std::move(key));
    }
    return keys;
  }

  // What a codec throws is an error.
  template <class Work>
  static std::invoke_result_t<Work> with_codec(errc code, const Work& work) {
    try {
      return work();
    } catch (const std::exception& thrown) {
      return fail(code, std::string{"the codec threw: "} + thrown.what());
    } catch (...) {
      return fail(code, "the codec threw something that is no std::exception");
    }
  }

  template <class T>
  static result<T> decode_as(const std::string& bytes) {
    return with_codec(errc::undecodable, [&]() -> result<T> { return codec<T>::decode(bytes); });
  }

  static result<operation> decode(const source::stored_operation& stored) {
    auto key = decode_as<K>(stored.key);
    if (!key) return std::unexpected(std::move(key).error());
    operation typed{.key = *std::move(key), .value = std::nullopt, .sequence = stored.sequence, .fence = stored.fence};
    if (stored.removed) return typed;
    auto value = decode_as<V>(stored.value);
    if (!value) return std::unexpected(std::move(value).error());
    typed.value = *std::move(value);
    return typed;
  }

  static dead_letter<K, V> decode_letter(source::stored_letter letter) {
    dead_letter<K, V> typed{.sequence = letter.operation->sequence,
                            .removed = letter.operation->removed,
                            .reason = std::move(letter.reason),
                            .attempts = letter.attempts,
                            .at = letter.at};
    if (auto key = decode_as<K>(letter.operation->key)) typed.key = *std::move(key);
    if (typed.removed) return typed;
    if (auto value = decode_as<V>(letter.operation->value)) typed.value = *std::move(value);
    return typed;
  }

  static std::optional<operation> pending_in(const source::write_engine& engine, const K& key) {
    std::string scratch;
    const source::operation_ptr stored = engine.pending(encode(key, scratch));
    if (!stored) return {};
    auto decoded = decode(*stored);
    if (!decoded) return {};
    return *std::move(decoded);
  }

  template <class Cache>
  static void require_same_types() {
    static_assert(std::same_as<typename Cache::key_type, K> && std::same_as<typename Cache::mapped_type, V>,
                  "seawall::write_behind: the cache must have the same keys and values");
  }

  // What a reader gets of an operation that waits, null for a removal; nothing: the source has the last one.
  static std::optional<value_ptr<V>> buffered_in(const source::write_engine& engine, const K& key) {
    auto newer = pending_in(engine, key);
    if (!newer) return {};
    if (newer->removed()) return value_ptr<V>{};
    return std::make_shared<const V>(*std::move(newer->value));
  }

  template <class Cache>
  std::optional<value_ptr<V>> buffered_for(const K& key, const entry_options& how) const {
    require_same_types<Cache>();
    auto newer = buffered_in(*engine_, key);
    if (newer && how.report != nullptr) *how.report = {.from = served_from::process, .why = served_why::hit};
    return newer;
  }

  // The source does not have it yet, and may never: other processes are not to find it in a shared tier.
  static loaded<V> unstored(value_ptr<V> value) {
    loaded<V> answer{not_found};
    if (value) answer = loaded<V>{std::move(value)};
    return std::move(answer).with({.no_store = true});
  }

  struct remainder {
    std::vector<K> keys{};
    std::vector<std::size_t> places{};
  };

  // Puts what is buffered in its place in `answers`, and answers what is not.
  static remainder without_buffered(const source::write_engine& engine, std::span<const K> keys, auto& answers) {
    remainder rest;
    for (std::size_t i = 0; i != keys.size(); ++i) {
      if (auto newer = buffered_in(engine, keys[i])) {
        answers[i] = *std::move(newer);
      } else {
        rest.keys.push_back(keys[i]);
        rest.places.push_back(i);
      }
    }
    return rest;
  }

  result<write_receipt> submit(const K& key, const V* value, duration deadline) {
    std::string key_bytes;
    std::string value_bytes;
    auto encoded = with_codec(errc::invalid_argument, [&]() -> result<void> {
      std::string scratch;
      key_bytes = encode(key, scratch);
      if (value != nullptr) value_bytes = encode(*value, scratch);
      return {};
    });
    if (!encoded) return std::unexpected(std::move(encoded).error());
    auto done = engine_->submit(value == nullptr, std::move(key_bytes), std::move(value_bytes), deadline);
    how_->cache(key);  // after an error, too: nobody knows whether the write will take effect
    return done;
  }

  std::shared_ptr<const options> how_;
  std::shared_ptr<source::write_engine> engine_;
};

}  // namespace seawall
