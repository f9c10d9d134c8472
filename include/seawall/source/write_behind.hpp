// write_behind<K, V>: writes that are acknowledged by a local log, and applied to the source in batches, later.
//
//   auto writes = seawall::write_behind<int, product>::open({
//       .name = "products",
//       .write = [&](std::span<const seawall::write_operation<int, product>> batch) { return db.upsert(batch); },
//       .log = {.directory = "/var/lib/shop/write-behind"},
//       .cache = &products});
//   if (!writes) return report(writes.error());
//   if (auto done = writes->put(7, changed); !done) return report(done.error());
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
#include "seawall/cache/loaded.hpp"
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
#include <utility>
#include <vector>

namespace seawall {

template <class K, class V>
struct write_operation {
  K key;
  std::optional<V> value;      ///< nothing: the key is removed
  std::uint64_t sequence = 0;  ///< greater than that of every earlier operation; the guard of an idempotent write

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

/// What is to hear that a key has changed: a pointer to a cache, which must outlive the write-behind.
template <class K>
class invalidated_by_writes {
 public:
  invalidated_by_writes() noexcept {}
  template <class Cache>
    requires requires(Cache& cache, const K& key) { cache.invalidate(key); }
  invalidated_by_writes(Cache* cache) : tell_([cache](const K& key) { cache->invalidate(key); }) {}

  void operator()(const K& key) const {
    if (tell_) tell_(key);
  }

 private:
  std::function<void(const K&)> tell_;
};

template <class K, class V>
struct write_behind_options {
  std::string name;  ///< 1 to 200 bytes; the log knows it
  /// Applies all of the batch or says why not; of each key there is one operation. One call at a time, on a thread of
  /// the write-behind.
  std::function<result<void>(std::span<const write_operation<K, V>>)> write;
  seawall::acknowledged acknowledged = seawall::acknowledged::local_log;
  write_log_options log = {};
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
  invalidated_by_writes<K> cache = {};  ///< Told after a write is accepted, and after it is applied.
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

  /// A loader for the cache that answers from `pending`, or else asks `loader` (see loaded.hpp). With the option
  /// `cache` nothing older than an accepted write is ever cached. `loader` is kept and called as const; what it
  /// captures may be needed for as long as what this returns is.
  template <class Loader>
  auto over(Loader loader) const {
    return [engine = engine_, held = std::move(loader)](const K& key, load_context<V>& context) -> loaded<V> {
      if (auto newer = pending_in(*engine, key)) {
        if (newer->removed()) return not_found;
        return std::make_shared<const V>(*std::move(newer->value));
      }
      return detail::call_loader<V>(held, key, context);
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
    hooks.settled = [how](std::span<const source::operation_ptr> batch) {
      for (const source::operation_ptr& stored : batch) {
        if (const auto key = decode_as<K>(stored->key)) how->cache(*key);
      }
    };
    return hooks;
  }

  template <class T>
  static result<T> decode_as(const std::string& bytes) {
    try {
      return codec<T>::decode(bytes);
    } catch (const std::exception& thrown) {
      return fail(errc::undecodable, std::string{"the codec threw: "} + thrown.what());
    }
  }

  static result<operation> decode(const source::stored_operation& stored) {
    auto key = decode_as<K>(stored.key);
    if (!key) return std::unexpected(std::move(key).error());
    operation typed{.key = *std::move(key), .value = std::nullopt, .sequence = stored.sequence};
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

  result<write_receipt> submit(const K& key, const V* value, duration deadline) {
    std::string key_bytes;
    std::string value_bytes;
    try {
      std::string scratch;
      key_bytes = encode(key, scratch);
      if (value != nullptr) value_bytes = encode(*value, scratch);
    } catch (const std::exception& thrown) {
      return fail(errc::invalid_argument, std::string{"the codec threw: "} + thrown.what());
    }
    auto done = engine_->submit(value == nullptr, std::move(key_bytes), std::move(value_bytes), deadline);
    how_->cache(key);  // after an error, too: nobody knows whether the write will take effect
    return done;
  }

  std::shared_ptr<const options> how_;
  std::shared_ptr<source::write_engine> engine_;
};

}  // namespace seawall
