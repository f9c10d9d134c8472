// fresh_schedule: when the hot keys of a cache are to be loaded anew. It knows keys by their hashes, decides when and
// how many, and leaves the loading to its owner. Of keys with the same 64 bits of hash it keeps one.
// Thread safety: all members may be called from any thread.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/local/entry.hpp"
#include "seawall/local/tags.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace seawall {

/// Which keys a cache loads anew by itself, before their entries end. A key is kept from the second use of an entry
/// on, in this process.
struct keep_fresh_options {
  duration stop_after{};           ///< Without a use for so long a key is no longer kept; 0: none ever is.
  duration every{};                ///< How old a value gets, up to a tenth less; 0: 70 to 80 % of its TTL.
  std::size_t most_keys = 10'000;  ///< 1 to 2^24. While so many are kept, no other key becomes one.
  std::size_t concurrent = 4;      ///< Loads of kept keys at a time; 1 to 65536.

  bool on() const noexcept { return stop_after > duration::zero(); }
};

class fresh_schedule : public std::enable_shared_from_this<fresh_schedule> {
 public:
  struct kept_key {
    std::shared_ptr<const void> key;  ///< The owner's.
    std::size_t hash = 0;
    time_point used_at{};
    unsigned tries = 0;               ///< Since the entry was last renewed.
    tag_list tags{};
  };

  /// `longest_pause`: between two attempts for one key.
  fresh_schedule(const keep_fresh_options& how, std::shared_ptr<clock> time, duration longest_pause)
      : how_(how), clock_(std::move(time)), longest_pause_(longest_pause) {}

  /// From now on `round` is called by the clock when a key is due. Called once.
  void start(std::function<void()> round);
  /// No round begins any more.
  void stop();

  const keep_fresh_options& options() const noexcept { return how_; }
  std::size_t size() const;

  /// When an entry is to be replaced; `never` for one that does not end.
  time_point due_of(const local::entry_times& times, std::size_t hash) const noexcept;
  /// How long before its end that is at the latest.
  static duration lead_of(const local::entry_times& times) noexcept;
  /// How long after an attempt the next one may be.
  duration pause_after(unsigned tries, duration lead) const noexcept;

  /// Whether `add` would take the key.
  bool wants(std::size_t hash) const;
  void add(kept_key key, time_point due);
  /// Sets what is known of a key, if it is still kept.
  void update(kept_key key, time_point due);
  void remove(std::size_t hash);
  /// The entry of a key is gone or has ended: if it was `used`, or is being loaded by whomever, the key is due.
  void hurry(std::size_t hash, bool used);

  /// The key that is due first, which stays kept: to be followed by `update` or `remove`.
  std::optional<kept_key> next_due(time_point now);
  /// The right to load one key, which ends with it; none when `concurrent` are in use. A round then ends, and another
  /// begins when one comes back.
  std::shared_ptr<void> try_begin();

 private:
  struct slot {
    kept_key what;
    time_point due;
  };

  void fire();
  void ended();
  void move_locked(slot& which, time_point due);
  void arm_locked();

  const keep_fresh_options how_;
  const std::shared_ptr<clock> clock_;
  const duration longest_pause_;
  mutable std::mutex mutex_;
  // ---- guarded by mutex_ ----
  std::function<void()> round_;
  std::unordered_map<std::size_t, slot> keys_;
  std::set<std::pair<time_point, std::size_t>> order_;
  clock::timer_id timer_ = 0;
  time_point armed_for_ = never;
  int rounds_ = 0;            // running
  std::size_t loading_ = 0;
  bool full_ = false;         // a key waits for its right to load
  bool stopped_ = false;
};

}  // namespace seawall
