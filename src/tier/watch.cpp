#include "watch.hpp"

#include "core.hpp"
#include "seawall/cmd/error.hpp"
#include "watch_calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace seawall::tier {
namespace {

// In a cluster each key is tested at one node, and so all are in turn.
constexpr int canaries_in_a_cage = 16;

}  // namespace

watch::watch(const tier_options& how, random_source& random)
    : how_(how), random_(random), canary_(how.feed == feed_mode::tracking ? duration::zero() : how.bound) {}

void watch::begin_due(const std::shared_ptr<core>& of, std::uint64_t generation, redis::slot_number slot) {
  const time_point now = of->now();
  bool looks = false;
  bool flies = false;
  std::shared_ptr<cmd::target> aside;
  {
    const std::lock_guard lock{mutex_};
    if (closed_) return;
    looks = how_.advise && std::ranges::find(looks_, generation, &look::generation) == looks_.end();
    if (looks) looks_.push_back({.generation = generation});
    // A cluster's client sends what has no key to any server.
    if (looks && aside_ && of->records().divided()) aside = aside_(of->records().reign_key(slot));
    const bool wanted = how_.canary_interval > duration::zero() && how_.feed != feed_mode::none && !forbidden_;
    flies = wanted && !canary_away_ && canary_due_ <= now;
    if (flies) {
      canary_away_ = true;
      canary_due_ = after(now, how_.canary_interval);
    }
  }
  if (looks) operation::start(std::make_unique<advice_call>(of, generation, std::move(aside)));
  if (flies) operation::start(std::make_unique<canary_call>(of));
}

void watch::connected(const std::shared_ptr<core>& of, std::uint64_t generation) {
  if (how_.feed != feed_mode::tracking) of->prove_nothing(generation);
  if (how_.feed == feed_mode::pub_sub) news_.begin(of);
  const std::lock_guard lock{mutex_};
  canary_due_ = time_point::min();
  silent_ = false;
}

void watch::lost(std::uint64_t generation) {
  const std::lock_guard lock{mutex_};
  std::erase_if(looks_, [&](const look& one) { return one.generation == generation; });
}

// The other connection's client holds the listener of this one, and so the tier.
void watch::close() {
  news_.close();
  cage given_up;
  const std::lock_guard lock{mutex_};
  closed_ = true;
  std::swap(given_up, cage_);
}

void watch::looked(std::uint64_t generation, const server_setup& seen, const error* why, std::uint64_t may_hold) {
  std::vector<advice> found = advise({seen}, may_hold);
  {
    const std::lock_guard lock{mutex_};
    const auto at = std::ranges::find(looks_, generation, &look::generation);
    if (at != looks_.end()) at->seen = seen;
    std::erase_if(found, [&](const advice& one) { return !told_.insert(one.subject + one.text).second; });
  }
  if (how_.log) {
    for (const advice& one : found) {
      how_.log(one.level == advice_level::poor ? log_level::warning : log_level::info,
               fmt::format("shared tier: the server's {}: {}", one.subject, one.text));
    }
    if (why) {
      how_.log(log_level::debug, fmt::format("shared tier: cannot see all settings of the server: {}", why->message()));
    }
  }
}

std::vector<advice> watch::said(std::uint64_t may_hold) const {
  std::vector<server_setup> servers;
  {
    const std::lock_guard lock{mutex_};
    for (const look& one : looks_) {
      if (one.seen) servers.push_back(*one.seen);
    }
  }
  return advise(servers, may_hold);
}

watch::cage watch::next_canary() {
  cage old;
  const std::lock_guard lock{mutex_};
  if (cage_.key.empty() || canaries_++ == canaries_in_a_cage) {
    std::swap(old, cage_);
    canaries_ = 1;
    cage_.key = fmt::format("{}{:016x}", canary_key_start, random_.next());
    if (aside_ && !closed_) cage_.aside = aside_(cage_.key);
  }
  canary_.begin(cage_.key);
  return cage_;
}

void watch::canary_read(std::uint64_t generation) {
  const std::lock_guard lock{mutex_};
  canary_.read(generation);
}

void watch::canary_changes(time_point now) {
  const std::lock_guard lock{mutex_};
  canary_.change(now);
}

void watch::canary_ended(time_point now, const error* why) {
  cage given_up;
  bool says = false;
  {
    const std::lock_guard lock{mutex_};
    canary_away_ = false;
    if (!why) return canary_.changed(now);
    canary_.give_up();
    std::swap(given_up, cage_);  // its connection may be the reason, and none is made anew
    if (why->code() == cmd::make_error_code(cmd::errc::no_permission)) says = !std::exchange(forbidden_, true);
  }
  if (says && how_.log) {
    how_.log(log_level::info, fmt::format("shared tier: nothing tests whether the server tells of changes: {}",
                                          why->message()));
  }
}

bool watch::heard(std::string_view key, time_point now) {
  if (!key.starts_with(canary_key_start)) return false;
  const std::lock_guard lock{mutex_};
  canary_.heard(key, now);
  return true;
}

std::optional<canary::verdict> watch::beat(std::uint64_t generation, time_point sent) {
  const std::lock_guard lock{mutex_};
  const auto came = canary_.beat(generation, sent);
  if (came && came->told) {
    last_ = came->after;
    slowest_ = std::max(slowest_, last_);
  }
  return came;
}

bool watch::set_silent(bool silent) {
  const std::lock_guard lock{mutex_};
  return std::exchange(silent_, silent);
}

bool watch::silent() const {
  const std::lock_guard lock{mutex_};
  return silent_;
}

duration watch::last_canary() const {
  const std::lock_guard lock{mutex_};
  return last_;
}

duration watch::slowest_canary() const {
  const std::lock_guard lock{mutex_};
  return slowest_;
}

void core::judge_feed(std::uint64_t generation, time_point sent) {
  const auto verdict = watch_.beat(generation, sent);
  if (!verdict) return;
  const bool proves = how_.feed == feed_mode::tracking;
  const bool new_to_it = watch_.set_silent(!verdict->told) == verdict->told;
  bool tell_all = false;
  {
    const std::lock_guard lock{mutex_};
    if (verdict->told) {
      if (proves) tell_all = feeds_.unmute(generation);
      ++totals_.canaries;
      totals_.canary_microseconds +=
          static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(verdict->after).count());
    } else {
      feeds_.mute(generation);
      tags_.forget_told_by(generation);
      ++totals_.lost_canaries;
    }
  }
  if (tell_all) listeners_.all_changed();
  else if (!verdict->told) listeners_.tags_lost();
  if (!new_to_it || !how_.log) return;
  how_.log(verdict->told ? log_level::info : log_level::warning,
           verdict->told ? "shared tier: the server tells of changes again"
                         : "shared tier: the server answers and does not tell of changes: values are kept for the "
                           "bound only");
}

void core::prove_nothing(std::uint64_t generation) {
  const std::lock_guard lock{mutex_};
  feeds_.mute(generation);
}

// Those that begin as another does are left out: a server refuses them.
std::vector<std::string> core::prefixes() {
  std::vector<std::string> all{how_.reign_key, std::string{canary_key_start}};
  for (std::string& one : listeners_.prefixes()) {
    all.push_back(std::string{tag_key_start} + one);
    all.push_back(std::move(one));
  }
  std::ranges::sort(all);
  std::vector<std::string> shortest;
  for (std::string& one : all) {
    if (shortest.empty() || !one.starts_with(shortest.back())) shortest.push_back(std::move(one));
  }
  return shortest;
}

}  // namespace seawall::tier
