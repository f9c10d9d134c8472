// What a cache and everything that runs on its behalf share: the engine, the flights, the options, the counters. Every
// decision about what may be stored or handed out is taken here; who waits, and how, is the business of load_op and its
// drivers.
//
// The guarantee and where it comes from: a flight is in the table from before its loader is called until it settles. An
// invalidation takes the key's shard mutex, marks the flight superseded and removes the entry. A load that ends takes
// the same mutex and stores only while its flight is not superseded. So a value whose load began before an invalidation
// is never stored, and callers that come after the invalidation find neither the entry nor the flight.
// Thread safety: all members may be called from any thread.
#pragma once

#include "seawall/base/byte_size.hpp"
#include "seawall/base/lookup.hpp"
#include "seawall/base/random.hpp"
#include "seawall/cache/core_parts.hpp"
#include "seawall/cache/flight_table.hpp"
#include "seawall/cache/fresh_schedule.hpp"
#include "seawall/cache/options.hpp"
#include "seawall/cache/running_load.hpp"
#include "seawall/cache/tier_question.hpp"
#include "seawall/local/engine.hpp"
#include "seawall/local/sweeper.hpp"
#include "seawall/metrics/recorder.hpp"
#include "seawall/metrics/stats_source.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace seawall {

template <class K, class V, class Hash, class Eq>
class core final : public stats_source,
                   public tier_listener,
                   public std::enable_shared_from_this<core<K, V, Hash, Eq>> {
 public:
  using key_type = K;
  using value_type = V;
  using flight_ptr = std::shared_ptr<flight<K, V>>;
  using answer = result<value_ptr<V>>;
  using engine_type = local::engine<K, local::entry<V>, Eq>;

  struct admission {
    admitted is;
    flight_ptr flight{};
    lookup<V> found{};
    std::optional<error> why{};
  };

  struct request {
    bool refresh = false;                    ///< The entry may still be served: do not wait for anybody else's load.
    time_point replaces{};                   ///< With `refresh`: when that entry was written.
    std::shared_ptr<waiter> joins{};         ///< Added to a flight that is there, and to a new one with `joins_own`.
    bool joins_own = false;
    load_permits* batch = nullptr;           ///< Permits for a whole batch, taken by the first that needs them.
    time_point leader_deadline = never;      ///< Of a leader that runs the loader itself.
    tag_list tags{};                         ///< Known before the load.
    bool alone = false;                      ///< A flight that nobody joins and that stores nothing in this process.
    std::uint64_t at_least = 0;              ///< What has a lower version is no answer.
    bool kept = false;                       ///< With `refresh`: for a key that is kept fresh; counts as no use.
  };

  struct settlement {
    fate is;
    answer value;
    std::uint64_t version = 0;
  };
  core(cache_options<K, V> options, const Hash& hash, const Eq& equal, std::shared_ptr<clock> time,
       std::weak_ptr<executor> background)
      : options_(std::move(options)),
        policy_(options_.policy()),
        prefixes_(prefixes_of(options_)),
        hash_(hash),
        equal_(equal),
        clock_(std::move(time)),
        coarse_lag_(clock_->coarse_lag()),
        background_(std::move(background)),
        random_(options_.seed != 0 ? options_.seed : entropy_seed()),
        loads_(std::make_shared<bulkhead>(options_.max_concurrent_loads)),
        kept_(schedule_of(options_, clock_)),
        recorder_(options_.key_classes.names),
        engine_({.capacity = options_.capacity,
                 .max_weight = options_.max_bytes,
                 .policy = options_.eviction,
                 .seed = options_.seed},
                equal, listener_of(options_)),
        sweeper_(clock_, this),
        flights_(equal) {
    here_only_.extend(never);
  }

  const cache_options<K, V>& options() const noexcept { return options_; }
  const entry_policy& policy() const noexcept { return policy_; }
  clock& time() const noexcept { return *clock_; }
  cache_recorder& recorder() noexcept { return recorder_; }

  template <class Q>
  std::size_t hash_of(const Q& key) const {
    return detail::table_hash<Hash, K>(hash_, key);
  }

  // ---- reading: core_read.hpp ----

  /// What is there now; counts as a use when it can be served. Not `noted`: in the eyes of keep_fresh it is none.
  template <class Q>
  lookup<V> look(const Q& key, std::size_t hash, bool noted = true);

  /// Calls `inspect(const entry&, now)` for what is there, expired or not; no use is counted.
  template <class Q, class F>
  bool inspect(const Q& key, std::size_t hash, F&& inspector);

  // ---- writing: core_write.hpp ----

  /// Removes the entry of this process and cuts off the load in progress.
  template <class Q>
  bool drop(const Q& key, std::size_t hash);

  /// Removes the entry, from the shared tier too, and cuts off the load in progress.
  template <class Q>
  bool invalidate(const Q& key, std::size_t hash);
  /// The same for many keys; how many entries were in this process.
  std::size_t invalidate_many(std::span<const K> keys);

  /// Begin them; `then` is called at the end, perhaps at once, from any thread.
  void begin_invalidate(K key, std::size_t hash, std::move_only_function<void(bool)> then);
  void begin_invalidate_tag(std::uint64_t tag, std::move_only_function<void()> then);

  /// Ends the entry's freshness, in the shared tier too, and cuts off the load in progress, whose value may be older
  /// than the reason.
  template <class Q>
  bool expire(const Q& key, std::size_t hash);

  /// Stores a value (null: an absence) that the application knows to be right now. With a version, what is newer stays.
  /// With a shared tier it is `invalidate`, since of two writers that overlap nobody knows whose value is the newer
  /// one; or else, with a version, put_call.
  void put(K key, std::size_t hash, value_ptr<V> value, const entry_policy& policy, const tag_list& tags = {},
           std::uint64_t version = 0);

  bool clear();
  /// Removes every entry with the tag, here and in the shared tier; a load in progress of such an entry is not stored.
  void invalidate_tag(std::uint64_t tag);
  /// New limits; evicts down to them.
  void resize(std::size_t capacity, std::size_t max_bytes) {
    engine_.resize(capacity, max_bytes, clock_->now());
    engine_.tidy_all();
  }

  /// For the sweeper: takes out what has expired.
  time_point sweep(time_point now, std::size_t chunks) { return engine_.sweep(now, chunks); }
  /// When it will come; `never` when nothing can expire.
  time_point next_sweep() const noexcept { return sweeper_.next(); }

  // ---- loading ----

  /// Opens a flight for the key, or joins the one that is there.
  admission admit(const K& key, std::size_t hash, const request& how);

  /// Takes the permits for a load that `admit` did not ask for, since the shared tier might have had the value. An
  /// error, which then also ends the flight, when there are none.
  std::optional<error> begin_load(const flight_ptr& which, load_permits* batch);

  /// By its leader: the flight ends at `give_up_at`. A question to the shared tier ends by itself, so a flight is armed
  /// when it loads, or waits for another process's load.
  void arm(const flight_ptr& which);

  /// The end of a load whose flight this caller leads.
  /// When memory runs out on the way, the flight is abandoned and the exception goes on.
  settlement complete(const flight_ptr& which, loaded<V> given, const entry_policy& policy);

  /// The leader leaves without an answer: its loader is asked to stop and the waiters try again.
  void forsake(const flight_ptr& which) {
    const bool ran = which->counted;  // else only the shared tier was asked
    end_leading(*which);
    abandon(which, ran);
  }

  /// Opens a flight and runs `loader` for it on the executor, unless one is under way or the key is in back-off.
  void refresh(const K& key, std::size_t hash, time_point written, const bound_loader<K, V>& loader,
               const entry_policy& policy);

  /// Runs `loader` for an open flight on the executor.
  /// With `asked`, the shared tier has answered first, and that may be all there is to do.
  void launch(flight_ptr which, const bound_loader<K, V>& loader, const entry_policy& policy,
              std::shared_ptr<tier_question<core>> asked = nullptr);

  /// Calls `loader` for an open flight on this thread, which is one of the executor's, and settles the flight. One that
  /// nobody waits for any more, and whose value could not be stored, is abandoned instead.
  void run(const flight_ptr& which, const bound_loader<K, V>& loader, const entry_policy& policy);

  load_context<V> context_of(const flight<K, V>& which) const {
    return {which.stop.get_token(), which.previous, which.give_up_at, which.at_least};
  }

  /// Calls `change(flight)` under the mutex that guards the flight.
  template <class F>
  decltype(auto) with_locked(flight<K, V>& which, F&& change) {
    const std::lock_guard lock{flights_.shard_of(which.hash).mutex};
    return std::forward<F>(change)(which);
  }

  /// The mark of a load for the scopes around its loader.
  detail::load_mark mark(flight_ptr which, std::shared_ptr<const detail::running_load> outer) const {
    const K* key = &which->key;
    return detail::load_mark{std::make_shared<detail::running_load>(this, std::move(which), key, std::move(outer))};
  }

  error load_timed_out() const {
    return {errc::load_timed_out, "cache '" + options_.name + "': a load was given up at its load_deadline"};
  }

  /// No more loads start; those that run on the executor are asked to stop and waited for.
  void close();
  // ---- the shared tier: core_shared.hpp ----

  bool shared() const noexcept { return bool{options_.shared}; }
  const tier_binding<K, V>& tier() const noexcept { return options_.shared; }
  std::size_t undelivered() const { return shared() ? tier().tier().undelivered() : 0; }
  bool plain() const noexcept { return options_.shared_format == shared_format::plain && shared(); }
  /// Listens to the tier, and keeps keys fresh; called once, when the core is owned.
  void attach();
  /// Asks the tier for the key of an open flight; `asker` is woken at the end.
  std::shared_ptr<tier_question<core>> ask(const flight_ptr& which, std::shared_ptr<waiter> asker,
                                           const question_options& how);
  /// The same without asking yet.
  std::shared_ptr<tier_question<core>> prepare_question(const flight_ptr& which, std::shared_ptr<waiter> asker,
                                                        const question_options& how);
  /// Ends the flight with what the tier had, `came` being a decoded hit.
  settlement settle_hit(const flight_ptr& which, const tier_question<core>& asked, value_ptr<V> value,
                        const entry_policy& policy);
  /// The value of a hit; null: an absence. An error when it cannot be read, which is a miss.
  answer decode(const tier_question<core>& asked);
  /// What the flight has for those who would wait for it, as far as the policy lets it be served; `self`, who would
  /// wait, then does not.
  spare_value<V> spare_of(flight<K, V>& which, const std::shared_ptr<waiter>& self, const entry_policy& policy,
                          std::uint64_t at_least);
  /// Of the process, what is older than the version; 0: whatever is there. A load that is cut off is not kept either.
  void drop_older(const K& key, std::size_t hash, std::uint64_t version, bool cuts_off_load);
  /// Gives a lease back.
  void release(const std::string& name, const tier_nonce& lease, bool refresh) noexcept;
  /// Of a question: whether there was nothing. Where that is the rule, the lease is asked for in the first round trip.
  void note_answer(bool missed) noexcept {
    const int before = misses_.load(std::memory_order_relaxed);
    misses_.store(before + ((missed ? most_misses : 0) - before) / 8, std::memory_order_relaxed);
  }
  /// How long a lease is asked for: long enough for nearly all loads, short enough when its holder has died.
  duration lease_time();
  /// `span` less a random part of up to a half.
  duration jittered(duration span) noexcept {
    return span - duration{static_cast<duration::rep>(static_cast<double>(span.count()) * random_.uniform() / 2)};
  }

  void on_tag_changed(std::uint64_t tag) noexcept override;
  void on_tags_lost() noexcept override { tags_.invalidate_all(); }
  void on_changed(std::string_view printed_key) noexcept override;
  void on_all_changed() noexcept override;
  std::size_t most_entries() const noexcept override { return engine_.capacity(); }
  // ---- counting ----

  template <class Q>
  std::size_t class_of(const Q& key) const noexcept;
  void count(std::size_t key_class, cache_counter counter) noexcept { recorder_.count(key_class, counter); }

  std::size_t size() const { return engine_.size(); }
  cache_stats stats() const override;

 private:
  friend class prefix_invalidation<core>;
  friend class put_call<core>;
  friend class tier_question<core>;
  friend class tier_filling<core>;

  // What a load, or the shared tier, answered, ready to be stored.
  struct outcome {
    answer value;
    std::optional<local::entry_times> times{};  // nothing: not to be stored
    tag_list tags{};
    std::uint64_t tag_events = 0;  // the last one before `current_at`
    std::uint64_t version = 0;
    std::size_t weight = 0;
    bool unmodified = false;
    bool refused = false;       // by the shared tier: it was invalidated or replaced meanwhile
    bool stored = false;        // in the shared tier
    bool here_only = false;     // the shared tier cannot have it
    bool unconfirmed = false;   // a bare value of which the shared tier has not said that it has it
    time_point current_at{};    // a moment at which the value was right at the source, or in the tier
  };

  flight_ptr open_alone(const K& key, std::size_t hash, const request& how, time_point now);
  std::optional<error> take_permits(load_permits& into);
  outcome prepare(const flight<K, V>& which, loaded<V> given, const entry_policy& policy, time_point now);
  settlement settle(const flight_ptr& which, outcome came, time_point now);
  settlement fill(const flight_ptr& which, outcome came);
  void finish_fill(const flight_ptr& which, outcome came, const tier_fill& told) noexcept;
  bool may_fill(flight<K, V>& which, outcome& came);
  shared_format format_of_names() const noexcept;
  std::string printed(const K& key) const;
  void print_names(const K& key, std::vector<std::string>& into) const;  // those of other versions, too
  static std::vector<std::string> prefixes_of(const cache_options<K, V>& options);
  // Whether what is in this process may still be right.
  bool trusts(const local::entry<V>& item, time_point now) const noexcept {
    return (!item.proved_by || item.proved_by->covers(now)) && item.tags.valid(tags_);
  }
  // ---- keys that are kept fresh: core_keep.hpp ----
  static std::shared_ptr<fresh_schedule> schedule_of(const cache_options<K, V>& options, std::shared_ptr<clock> time);
  void note_first_use(const K& key, local::entry<V>& item);
  // Of what is about to be taken out, where keys are kept: whether it was used. For `hurry`, called without locks.
  template <class Q>
  bool was_in_use(const Q& key, std::size_t hash);
  void keep_round() noexcept;
  bool keep(fresh_schedule::kept_key one, time_point now);
  void refresh_kept(const fresh_schedule::kept_key& one, const local::entry_times* seen, std::shared_ptr<void> right);
  bool go_on_kept(const flight_ptr& which, tier_question<core>& asked, const bound_loader<K, V>& loader,
                  const entry_policy& policy);
  // Of an entry that is, or may soon be, stale, or whose life its uses prolong.
  [[gnu::noinline]] bool look_closely(local::entry<V>& item, local::entry_header& header, lookup<V>& found, bool noted);
  void forget(std::vector<std::string> names);  // in the shared tier
  void begin_forget(std::vector<std::string> names, std::move_only_function<void()> then);
  std::uint64_t version_locked(const K& key, std::size_t hash, time_point now);
  std::vector<std::string> names_of_other_versions(const K& key) const;
  std::shared_ptr<tier_read> read_tier(const K& key);
  bool expire_shared(const K& key, std::size_t hash);
  bool expire_in_tier(tier_read& seen);
  static void set_times(tier_entry& entry, const local::entry_times& times, time_point now);
  void change_shared_tag(std::uint64_t tag);
  void clear_here();
  void count_load(flight<K, V>& which);
  // An entry without a proof is right for as long as the tier's bound says, whatever happens.
  void limit_unproved(std::optional<local::entry_times>& times, time_point current_at, time_point now) const;
  // A refresh in the background has the tier's answer: whether the source is to be asked.
  bool go_on(const flight_ptr& which, tier_question<core>& asked, const bound_loader<K, V>& loader,
             const entry_policy& policy);
  void ask_in_background(const flight_ptr& which, const bound_loader<K, V>& loader, const entry_policy& policy,
                         const question_options& how);
  void time_out(const flight_ptr& which);
  void abandon(const flight_ptr& which, bool counts = true);
  void end_leading(flight<K, V>& which);
  void store_locked(const K& key, std::size_t hash, const value_ptr<V>& value,
                    const std::optional<local::entry_times>& times, std::size_t weight, time_point now,
                    local::entry_tags tags = {}, const local::proof* proved_by = nullptr);
  std::size_t weigh(const K& key, const value_ptr<V>& value) const noexcept;

  // Outside all locks: what was removed is destroyed, and the sweep is told.
  void after_store(const std::optional<local::entry_times>& times) {
    engine_.tidy();
    if (times && times->keep_until() != never) sweeper_.expect(times->keep_until());
  }

  // The engine keeps deadlines to the tick and rounds them down; here the exact times are at hand, so its deadline must
  // not come before them.
  static std::int64_t engine_deadline(const local::entry_times& times) noexcept {
    return after(times.keep_until(), duration{eviction::tick::length - 1}).time_since_epoch().count();
  }

  static typename engine_type::listener listener_of(const cache_options<K, V>& options);
  void warn(log_level level, const char* what, const error& why) const noexcept;
  void note_end(const flight<K, V>& which, fate end, const outcome& came, time_point now);

  const cache_options<K, V> options_;
  const entry_policy policy_;
  const std::vector<std::string> prefixes_;  // of keys in the shared tier: this cache's, and those of other versions
  const Hash hash_;
  const Eq equal_;
  const std::shared_ptr<clock> clock_;
  const duration coarse_lag_;
  const std::weak_ptr<executor> background_;
  random_source random_;
  const std::shared_ptr<bulkhead> loads_;
  const std::shared_ptr<fresh_schedule> kept_;  // null: none are
  cache_recorder recorder_;
  mutable engine_type engine_;  // statistics drain it
  local::sweeper<core> sweeper_;
  flight_table<K, V, Eq> flights_;
  local::tag_table tags_;
  // Of entries that the tier cannot have, which news of their keys are not about. Covers them while they live.
  local::proof here_only_;
  static constexpr int most_misses = 1024;
  std::atomic<int> misses_{0};  // a sliding share of questions; may lose an update
  std::atomic<duration> lease_time_{duration{}};  // what lease_time() found, and until when it stands
  std::atomic<time_point> lease_time_until_{time_point::min()};
  std::stop_source closing_;
  // Sequentially consistent: a load counts itself in and then looks; the destructor says so and then counts.
  std::atomic<bool> closed_{false};
  std::atomic<std::size_t> in_background_{0};
};

}  // namespace seawall

#include "seawall/cache/core_background.hpp"
#include "seawall/cache/core_keep.hpp"
#include "seawall/cache/core_load.hpp"
#include "seawall/cache/core_put.hpp"
#include "seawall/cache/core_read.hpp"
#include "seawall/cache/core_shared.hpp"
#include "seawall/cache/core_write.hpp"
#include "seawall/cache/put_call.hpp"
