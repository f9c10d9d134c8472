// core: what the calls of one tier share: its server, what is known of it, and what is still to be told.
#pragma once

#include "breaker.hpp"
#include "entry_format.hpp"
#include "feeds.hpp"
#include "listeners.hpp"
#include "record_keys.hpp"
#include "seawall/base/random.hpp"
#include "seawall/cmd/command.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/redis/capabilities.hpp"
#include "seawall/redis/tracking.hpp"
#include "seawall/tier/options.hpp"
#include "seawall/tier/remote_tier.hpp"
#include "seawall/tier/stats.hpp"
#include "tag_cache.hpp"
#include "undelivered.hpp"
#include "watch.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::tier {

/// Whether a call goes to the server.
struct admission {
  breaker::permit permit{};
  std::optional<error> refused{};  ///< Why it does not.
  time_point now{};
};

/// Thread safety: all members may be called from any thread; those of tracking_listener as that says. No lock is held
/// while listeners, the target or the log are called.
class core final : public redis::tracking_listener,
                   public counter_source,
                   public std::enable_shared_from_this<core> {
 public:
  explicit core(tier_options how);

  /// Before the first call.
  void use(cmd::target& where, remote_tier::find_capabilities can);
  /// Before the first call: the keys lie in the slots of a cluster.
  void divide(std::function<void()> look_for_moves);
  /// Later calls are refused, and no heartbeat runs from then on.
  void close();

  // tracking_listener
  std::vector<std::string> prefixes() override;
  void on_tracking(std::uint64_t generation) override;
  void on_invalidate(std::uint64_t generation, std::string_view key) override;
  void on_loss(std::uint64_t generation, redis::tracking_loss why, std::uint16_t slot) override;

  // A call begins and ends.
  using counter = std::uint64_t tier_totals::*;
  /// Empty key: of an invalidation, which need not wait for others. `counts`: what it is counted as, if it is.
  admission admit(std::string_view key, counter counts = nullptr);
  /// `hurried`: the caller had less time than calls need, so that a timeout says nothing of the server. `counts` as
  /// in `admit`.
  void ended(breaker::permit of, const error* failure, bool hurried, counter counts = nullptr);

  using slot_number = record_keys::slot_number;
  const record_keys& records() const noexcept { return records_; }
  /// What is known of the server that will presumably answer; nothing: a beat goes in front.
  std::optional<footing> expected(slot_number slot, time_point now) const;
  /// For an answer: see feeds.
  std::optional<footing> stand_on(std::uint64_t generation, slot_number slot, time_point asked);
  std::optional<std::uint64_t> last_reign(slot_number slot) const;
  std::int64_t server_now_ms(std::int64_t ahead_ms) const;
  std::int64_t ahead_ms(slot_number slot) const;

  /// The command that asks for the reign of the slot's server.
  cmd::any_command beat_command(slot_number slot);
  /// The answer of a beat that was sent at that moment.
  void heard_beat(std::uint64_t generation, slot_number slot, time_point sent, resp::view reply);
  /// A beat was answered with an error, or not at all.
  void missed_beat(std::uint64_t generation, const error& why);
  /// `meant`: the connection whose life it was to show.
  void heartbeat_ended(std::uint64_t meant, slot_number slot, bool well, duration took);

  /// These are to be invalidated as soon as possible.
  void undeliver(std::span<const std::string_view> keys, shared_format format = shared_format::framed);
  std::vector<undelivered::item> take_undelivered();
  void delivered(std::span<const undelivered::item> some);
  /// The last batch has ended; these were not delivered.
  void replay_ended(std::span<const undelivered::item> left);

  // Tags.
  /// What is known of a tag for an answer that came over the connection.
  struct tag_state {
    std::optional<std::uint64_t> generation{};
    std::uint64_t connection = 0;  ///< That told it.
    time_point as_of{};            ///< Of another connection than was asked for: it was right then, at least.
    bool pending = false;  ///< Its change has not reached the server yet, so that nothing there is to be used.
  };
  tag_state tag(std::uint64_t connection, const tag_record& which) const;
  /// Whether a tag is to be read, since it is not known or has not been read for a while. `fresh`: what another
  /// connection than the expected one has told is not enough.
  bool tag_due(const tag_record& which, time_point now, const std::optional<footing>& expected, bool fresh) const;
  /// What a reply says; remembered if the connection tells of changes. Nothing if it is not to be trusted.
  std::optional<std::uint64_t> learn_tag(std::uint64_t connection, const tag_record& which, slot_number slot,
                                         resp::view reply);
  /// This process has changed these records.
  void tags_changed(std::span<const std::string> keys);
  /// The proof of what came over a connection and depends on what others have told.
  const tier_proof* prove(std::span<const std::uint64_t> connections);
  /// The proof of an entry that came so; none also if one of its tags is not known to be what it was.
  const tier_proof* prove_entry(const footing& on, std::string_view key, std::span<const tag_stamp> tags);
  /// The connection tells of changes, and not in order with its answers; see tier_options::feed.
  void prove_nothing(std::uint64_t generation);
  /// A generation that was never there before, as it is stored.
  std::string new_generation();

  void count(counter field, std::uint64_t n = 1);
  /// What a read that was answered is counted as.
  static counter counter_of(tier_read::outcome is) noexcept;
  tier_stats read_stats() const;
  counter_set counters() const override;
  /// Invalidations that wait for the server.
  std::size_t owed() const;

  const tier_options& options() const noexcept { return how_; }
  cmd::target& target() const noexcept { return *target_; }
  /// Nothing is sent any more, and the target may be gone.
  bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  redis::capabilities can() const { return can_ && !closed() ? can_() : redis::capabilities{}; }
  time_point now() const noexcept { return clock_->now(); }
  seawall::clock& timers() const noexcept { return *clock_; }
  tier_nonce nonce() { return draw_nonce(random_); }
  /// The value of this tier's refresh locks.
  const std::string& token() const noexcept { return token_; }
  tier::listeners& listeners() noexcept { return listeners_; }
  /// How many keys of the server the caches of this process may keep, so that it has to remember who has read them.
  std::uint64_t may_hold() const { return how_.feed == feed_mode::tracking ? listeners_.most_entries() : 0; }
  tier::watch& watching() noexcept { return watch_; }

 private:
  bool waits_locked(const tag_record& which) const {
    return undelivered_.size() != 0 && undelivered_.contains(records_.key_of(which));
  }
  tag_state tag_locked(std::uint64_t connection, const tag_cache::known* known) const;
  /// What the answer to a sign of life says of the feed; see watch.
  void judge_feed(std::uint64_t generation, time_point sent);
  void replay(bool at_once = true);
  void arm_heartbeat(time_point now);
  void on_heartbeat();
  struct pulse {
    std::uint64_t meant;
    slot_number slot;
  };
  std::vector<pulse> pulses();

  const tier_options how_;
  const std::shared_ptr<seawall::clock> clock_;
  random_source random_;
  const std::string token_;
  cmd::target* target_ = nullptr;
  remote_tier::find_capabilities can_;
  std::function<void()> look_for_moves_;
  tier::listeners listeners_;
  record_keys records_;
  tier::watch watch_{how_, random_};

  // Held while the heartbeat uses the target, so that `close` waits for it. Recursive: a target may answer at once.
  std::recursive_mutex beating_mutex_;
  bool stopped_ = false;  // guarded by beating_mutex_

  std::atomic<bool> closed_{false};  // set under mutex_

  mutable std::mutex mutex_;
  // All below guarded by mutex_.
  tier::feeds feeds_;
  tier::breaker breaker_;
  undelivered undelivered_;
  tag_cache tags_;
  bool replaying_ = false;
  time_point replay_after_ = time_point::min();  // of a cluster, one of whose servers did not take what it was sent
  time_point last_used_ = time_point::min();
  bool armed_ = false;
  seawall::clock::timer_id timer_ = 0;
  std::vector<std::uint64_t> beating_;  // connections that a heartbeat is under way for
  bool missing_ = false;                // the last beat was not answered, which was said
  time_point said_ = time_point::min();
  time_point looked_{};  // for slots that moved
  tier_totals totals_{};
  duration heartbeat_time_{};
};

/// How long a lease is that is wanted for so long: one that nobody gives back must end some day.
duration lease_length(duration wanted);
/// Why a value is not stored, if it takes more bytes than `max_payload`.
std::optional<error> too_large(const core& of, const tier_entry& entry);
/// A nonce as it is in a header.
std::string bytes_of(const tier_nonce& nonce);
/// Milliseconds for PX, at least one, rounded up; 0: no end.
std::int64_t milliseconds_of(duration length);

}  // namespace seawall::tier
