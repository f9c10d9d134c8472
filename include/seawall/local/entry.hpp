// A cached answer and the times that govern it. Constant once it is stored, but for `fresh_until`, which uses of a
// sliding entry and `expire` move: a stored entry's is touched by the functions of `stored_times` only.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/local/proof.hpp"
#include "seawall/local/tags.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

namespace seawall {

/// Cached values are shared and immutable: whoever holds one keeps it alive, nobody can change it under another.
template <class V>
using value_ptr = std::shared_ptr<const V>;

}  // namespace seawall

namespace seawall::local {

struct entry_times {
  time_point written;        ///< When the value was loaded, anywhere, or last confirmed by a refresh.
  time_point fresh_until;    ///< A caller gets it without further ado before this moment.
  time_point fresh_cap;      ///< Sliding never moves `fresh_until` past this.
  duration sliding{};        ///< Each use moves `fresh_until` to now + sliding; 0: it does not move.
  duration stale_for{};      ///< After `fresh_until`: served while a refresh runs.
  duration stale_if_error{};  ///< After `fresh_until`: served when a load failed.
  duration refresh_before{};  ///< A use this long before `fresh_cap` starts a refresh; 0: none does.
  duration xfetch_scale{};   ///< beta x load time of XFetch (Vattani et al. 2015); 0: off.

  time_point stale_until() const noexcept { return after(fresh_until, stale_for); }
  time_point error_until() const noexcept { return after(fresh_until, stale_if_error); }
  /// From here on the entry serves nobody and its memory may be taken back.
  time_point keep_until() const noexcept { return after(fresh_until, std::max(stale_for, stale_if_error)); }

  /// The earliest moment at which a use may have to do more than return the value. XFetch draws -ln(u) <= 37 for a
  /// 53-bit u in (0, 1], so a use earlier than 37 scales before the cap can never win its draw.
  time_point attention_from() const noexcept {
    const duration early = std::max(refresh_before, xfetch_scale > duration::max() / 37 ? forever : 37 * xfetch_scale);
    if (early == duration::zero()) return fresh_until;
    const time_point from = early >= fresh_cap - time_point{} ? time_point{} : fresh_cap - early;
    return std::min(fresh_until, from);
  }
};

/// The times of an entry that other threads read, use and expire at the same time. Relaxed: a moment publishes nothing.
class stored_times {
 public:
  explicit stored_times(entry_times& of) noexcept : times_(of), fresh_until_(of.fresh_until) {}

  /// A copy of one moment.
  entry_times get() const noexcept {
    entry_times copy{.written = times_.written,
                     .fresh_until = fresh_until_.load(std::memory_order_relaxed),
                     .fresh_cap = times_.fresh_cap,
                     .sliding = times_.sliding,
                     .stale_for = times_.stale_for,
                     .stale_if_error = times_.stale_if_error,
                     .refresh_before = times_.refresh_before,
                     .xfetch_scale = times_.xfetch_scale};
    return copy;
  }

  /// A use at `now` of an entry that was fresh as `seen`: moves the end of a sliding TTL; true when it did. An entry
  /// that was expired in between stays so.
  bool use(const entry_times& seen, time_point now) noexcept {
    if (seen.sliding <= duration::zero()) return false;
    const time_point later = std::min(after(now, seen.sliding), seen.fresh_cap);
    time_point before = seen.fresh_until;
    return later > before && fresh_until_.compare_exchange_strong(before, later, std::memory_order_relaxed);
  }

  /// No longer fresh from `now` on; what may be served stale stays servable for its time, counted from now.
  void expire(time_point now) noexcept {
    time_point before = fresh_until_.load(std::memory_order_relaxed);
    while (before > now && !fresh_until_.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
    }
  }

 private:
  entry_times& times_;
  std::atomic_ref<time_point> fresh_until_;
};

/// What a hit needs stands in front, in as few cache lines as it can.
template <class V>
struct entry {
  entry(value_ptr<V> v, const entry_times& t, entry_tags marks = {}, const proof* by = nullptr) noexcept
      : value(std::move(v)), quiet_until(quiet_end(t)),
        proved_by(by), tags(std::move(marks)), times(t) {}

  /// Whether a use at `now` is a hit and nothing more: `times` need not be looked at.
  bool quiet(time_point now) noexcept { return now < quiet().load(std::memory_order_relaxed); }

  /// As stored_times::expire.
  void expire(time_point now) noexcept {
    stored_times{times}.expire(now);
    quiet().store(time_point::min(), std::memory_order_relaxed);
  }

  /// From now on the next use is not quiet, so that it is noticed. Whether there was one since the last time.
  bool watch() noexcept { return quiet().exchange(unused, std::memory_order_relaxed) != unused; }

  /// Of a use that was not quiet: whether it is the first one since `watch`.
  bool first_use() noexcept {
    time_point seen = quiet().load(std::memory_order_relaxed);
    return seen == unused &&
           quiet().compare_exchange_strong(seen, quiet_end(stored_times{times}.get()), std::memory_order_relaxed);
  }

  value_ptr<V> value;       ///< Null: a cached absence.
  time_point quiet_until;   ///< By the functions above only.
  const proof* proved_by;   ///< Served only as long as it covers the present; null: the times alone count.
  entry_tags tags;
  entry_times times;

 private:
  // Earlier than any use, and not the end that `expire` and sliding set.
  static constexpr time_point unused = time_point::min() + duration{1};

  static time_point quiet_end(const entry_times& times) noexcept {
    return times.sliding > duration::zero() ? time_point::min() : times.attention_from();
  }
  std::atomic_ref<time_point> quiet() noexcept { return std::atomic_ref<time_point>{quiet_until}; }
};

}  // namespace seawall::local
