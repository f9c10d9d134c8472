// What a local_cache and its timer share: the engine, the times, the counters.
// Thread safety: all members may be called from any thread.
#pragma once

#include "seawall/base/byte_size.hpp"
#include "seawall/base/clock.hpp"
#include "seawall/local/cache_options.hpp"
#include "seawall/local/engine.hpp"
#include "seawall/local/profiles.hpp"
#include "seawall/local/sweeper.hpp"
#include "seawall/metrics/stats_source.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace seawall::local {

template <class K, class V, class Eq>
class cache_core final : public stats_source {
 public:
  using engine_type = engine<K, V, Eq>;
  using view = typename engine_type::view;

  cache_core(local_cache_options<K, V> options, const Eq& equal, std::shared_ptr<clock> time)
      : options_(std::move(options)),
        clock_(std::move(time)),
        lag_(clock_->coarse_lag()),
        timed_by_(options_.ttl != forever ? clock_.get() : nullptr),
        engine_({.capacity = options_.capacity,
                 .max_weight = options_.max_weight,
                 .policy = options_.policy,
                 .seed = options_.seed},
                equal, options_.on_removal),
        sweeper_(clock_, this) {}

  const local_cache_options<K, V>& options() const noexcept { return options_; }
  engine_type& entries() noexcept { return engine_; }
  clock& time() const noexcept { return *clock_; }

  /// How an entry stands: gone, stale or fresh.
  enum class standing { gone, stale, fresh };

  /// Calls `look(const V&)` for what is there and fresh, under a guard; counts a hit or a miss.
  template <class Q, class F>
  [[gnu::always_inline]] bool read(const Q& wanted, std::size_t hash, F look) {
    by_value_if_small<Q> key = wanted;
    const entry_header::horizon present = horizon();
    const epoch_domain::quick_guard guard{engine_.epochs()};
    if (!guard) [[unlikely]] return read_with_any_guard(key, hash, present, look);
    return read_under(guard, key, hash, present, look);
  }

  /// Reads the exact clock only when a deadline is near; a use of an idling entry moves its deadline.
  [[gnu::noinline]] standing standing_of(view entry, bool counts) const noexcept {
    const auto life = entry.header->now();
    if (life.forever()) return standing::fresh;
    if (life.profile() != 0) return standing_by_profile(entry, counts);
    if (nanoseconds(clock_->coarse_now()) + lag_.count() < life.deadline()) [[likely]] return standing::fresh;
    return nanoseconds(clock_->now()) < life.deadline() ? standing::fresh : standing::gone;
  }

  /// What is there and has not expired; empty otherwise. Requires: a guard.
  template <class Q>
  view live(const Q& key, std::size_t hash) const {
    const view found = engine_.find(key, hash);
    return found && standing_of(found, false) == standing::gone ? view{} : found;
  }

  template <class Q, class Allow>
  put_result put(Q&& key, std::size_t hash, V value, const put_options& how, Allow&& allow) {
    std::int64_t deadline = INT64_MAX;
    const put_result outcome = put(std::forward<Q>(key), hash, std::move(value), how, allow, deadline);
    engine_.tidy();
    if (deadline != INT64_MAX) sweeper_.expect(time_point{duration{deadline}});
    return outcome;
  }

  time_point sweep(time_point now, std::size_t chunks) { return engine_.sweep(now, chunks); }
  /// The cache is gone; what lives on is a handle for statistics.
  void close() { sweeper_.stop(); }

  void count(bool hit) noexcept { engine_.epochs().tally(hit ? hits : misses); }

  cache_stats stats() const override {
    cache_stats stats;
    stats.name = options_.name;
    stats.total.name = "all";
    stats.total.hits = engine_.epochs().tallied(hits);
    stats.total.misses = engine_.epochs().tallied(misses);
    stats.classes.push_back(stats.total);
    engine_.fill(stats);
    return stats;
  }

  std::size_t weigh(const K& key, const V& value) const {
    if (options_.weigher) return options_.weigher(key, value);
    if (options_.max_weight == 0) return 1;
    constexpr std::size_t fixed = engine_type::entry_size + engine_type::shared_size;
    return fixed + (byte_size(key) - sizeof(K)) + (byte_size(value) - sizeof(V));
  }

 private:
  static constexpr std::size_t hits = 0;  // numbers of tallies
  static constexpr std::size_t misses = 1;

  static std::int64_t nanoseconds(time_point moment) noexcept { return moment.time_since_epoch().count(); }

  template <class Q, class Allow>
  put_result put(Q&& key, std::size_t hash, V&& value, const put_options& how, Allow& allow, std::int64_t& deadline) {
    const auto guard = engine_.pin();
    engine_.prefetch(hash);  // the clock is read meanwhile
    const duration idle = std::max(how.idle.value_or(options_.idle), duration::zero());
    const duration life = idle > duration::zero() && !how.ttl ? idle : how.ttl.value_or(options_.ttl);
    const time_point now = moment(life);
    if (life <= duration::zero()) {
      return drop(key, hash, now, allow) ? put_result::refused : put_result::unwanted;
    }
    entry_meta meta{.weight = how.pinned ? 0 : weigh(key, value)};
    if (life != forever) {
      const duration stale = std::max(how.stale_for.value_or(options_.stale_for), duration::zero());
      meta.deadline = deadline = nanoseconds(after(after(now, life), stale));
      if (idle > duration::zero() || stale > duration::zero()) meta.profile = number_of({idle, stale});
      meta.moves = idle > duration::zero();
    }
    // `now` may be early, and an entry be gone that has not expired then.
    bool was_gone = false;
    const put_result outcome =
        engine_.put(std::forward<Q>(key), hash, std::move(value), meta, now, [&](const view& current) {
          was_gone = current && standing_of(current, false) == standing::gone;
          return allow(current);
        });
    return outcome == put_result::replaced && was_gone ? put_result::inserted : outcome;
  }

  // A number is kept in a register.
  template <class Q>
  using by_value_if_small = std::conditional_t<std::is_arithmetic_v<Q>, const Q, const Q&>;

  template <class Q, class F>
  [[gnu::noinline]] bool read_with_any_guard(const Q& key, std::size_t hash, entry_header::horizon present, F look) {
    const auto guard = engine_.pin();
    return read_under(engine_.epochs(), key, hash, present, look);
  }

  template <class Tallies, class Q, class F>
  [[gnu::always_inline]] bool read_under(Tallies& tallies, const Q& key, std::size_t hash,
                                         entry_header::horizon present, F& look) {
    const view seen = engine_.find(key, hash);
    if (!seen) return tallies.tally(misses), false;
    const auto life = seen.header->now();
    if (!present.outlived_by(life) && standing_of(seen, true) != standing::fresh) [[unlikely]] {
      return tallies.tally(misses), false;
    }
    tallies.tally(hits);
    engine_.use(seen, life, hash);
    look(std::as_const(seen.value()));
    return true;
  }

  // What outlives it is surely fresh. Without a TTL as a rule, the clock is read for those entries that have one.
  entry_header::horizon horizon() const noexcept {
    if (timed_by_ == nullptr) return {};
    return entry_header::horizon{nanoseconds(timed_by_->coarse_now()) + lag_.count()};
  }

  standing standing_by_profile(view entry, bool counts) const noexcept {
    const auto life = entry.header->now();
    const profile& how = profiles_[life.profile()];
    const std::int64_t fresh_until = life.deadline() - how.stale_for.count();
    std::int64_t now = nanoseconds(clock_->coarse_now());
    if (now + lag_.count() >= fresh_until) {
      now = nanoseconds(clock_->now());
      if (now >= life.deadline()) return standing::gone;
      if (now >= fresh_until) return standing::stale;
    }
    if (counts && how.idle > duration::zero()) slide(*entry.header, now, how);
    return standing::fresh;
  }

  // The coarse time, which is a tick early as a rule, where even the whole lag is nothing beside the time to live.
  time_point moment(duration life) const noexcept {
    return life > 250 * lag_ ? clock_->coarse_now() : clock_->now();
  }

  static void slide(entry_header& entry, std::int64_t now, const profile& how) noexcept {
    entry.extend_deadline(nanoseconds(after(after(time_point{duration{now}}, how.idle), how.stale_for)));
  }

  std::uint8_t number_of(const profile& wanted) {
    if (const auto number = profiles_.number_of(wanted)) return *number;
    throw std::length_error("local_cache '" + options_.name + "': its entries have " +
                            std::to_string(profile_table::capacity) + " different pairs of idle and stale_for already");
  }

  template <class Q, class Allow>
  bool drop(const Q& key, std::size_t hash, time_point now, Allow&& allow) {
    std::optional<bool> wanted;  // nothing when nothing is there
    engine_.erase(key, hash, now, removal_cause::replaced,
                  [&](const view& current) { return *(wanted = allow(current)); });
    return wanted ? *wanted : allow(view{});
  }

  const local_cache_options<K, V> options_;
  const std::shared_ptr<clock> clock_;
  const duration lag_;
  const clock* const timed_by_;  // null: entries have no TTL as a rule
  profile_table profiles_;
  mutable engine_type engine_;  // statistics drain it
  sweeper<cache_core> sweeper_;
};

}  // namespace seawall::local
