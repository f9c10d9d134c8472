#include "cluster_slot_refresh.hpp"

#include <algorithm>
#include <utility>

namespace seawall::redis {

duration slot_refresh::part_of(duration whole) {
  return duration{static_cast<duration::rep>(static_cast<double>(whole.count()) * random_.uniform())};
}

// Between a half and three halves of what the size of the cluster asks for.
duration slot_refresh::pace() {
  const auto nodes = static_cast<duration::rep>(std::min<std::size_t>(nodes_, 65536));
  const duration whole = std::min(how_.most, how_.least + how_.per_node * nodes);
  return whole / 2 + part_of(whole);
}

void slot_refresh::want(time_point now) {
  if (asking_) {
    wanted_ = true;
    return;
  }
  if (!plan_.empty() || failures_ != 0) {
    next_ = std::min(next_, std::max(now, earliest_));
    return;
  }
  const time_point soon = ever_ ? after(now, part_of(pace()) / 2) : now;
  next_ = std::min(next_, std::max(soon, earliest_));
}

void slot_refresh::shuffle(std::vector<net::address>& some) {
  for (std::size_t i = some.size(); i > 1; --i) std::swap(some[i - 1], some[random_.next() % i]);
}

void slot_refresh::plan(std::span<const node> known, std::span<const net::address> seeds) {
  std::vector<net::address> up;
  std::vector<net::address> down;
  for (const node& one : known) (one.up ? up : down).push_back(one.address);
  shuffle(up);
  shuffle(down);
  if (preferred_) {
    const auto at = std::find(up.begin(), up.end(), *preferred_);
    if (at != up.end()) std::iter_swap(up.begin(), at);
  }
  preferred_.reset();
  const auto most = static_cast<std::size_t>(how_.tries);
  if (up.size() > most) up.resize(most);
  plan_.assign(up.begin(), up.end());
  if (!up.empty() && failures_ == 0) return;
  std::vector<net::address> others{seeds.begin(), seeds.end()};
  shuffle(others);
  if (down.size() > most) down.resize(most);
  others.insert(others.end(), down.begin(), down.end());
  for (const auto& one : others) {
    if (std::find(plan_.begin(), plan_.end(), one) == plan_.end()) plan_.push_back(one);
  }
}

std::optional<net::address> slot_refresh::step(time_point now, std::span<const node> known,
                                               std::span<const net::address> seeds) {
  if (asking_ || now < next_) return std::nullopt;
  if (asked_.size() == static_cast<std::size_t>(how_.per_second)) {
    if (const time_point allowed = after(asked_.front(), std::chrono::seconds{1}); now < allowed) {
      next_ = allowed;
      return std::nullopt;
    }
    asked_.pop_front();
  }
  if (plan_.empty()) plan(known, seeds);
  if (plan_.empty()) {
    next_ = after(now, how_.longest_pause);
    return std::nullopt;
  }
  asked_.push_back(now);
  asking_ = true;
  net::address whom = std::move(plan_.front());
  plan_.pop_front();
  return whom;
}

void slot_refresh::answered(time_point now, std::size_t nodes, bool settled) {
  asking_ = false;
  ever_ = true;
  failures_ = 0;
  nodes_ = nodes;
  plan_.clear();
  unsettled_ = settled ? 0 : std::min(unsettled_ + 1, 1000);
  const duration once = pace();
  earliest_ = after(now, std::min(std::max(how_.most, once), once * (1 + unsettled_ / 16)));
  const bool soon = std::exchange(wanted_, false) || !settled;
  next_ = soon ? earliest_ : after(now, how_.period / 2 + part_of(how_.period));
}

bool slot_refresh::failed(time_point now) {
  asking_ = wanted_ = false;
  if (!plan_.empty()) {
    next_ = now;
    return false;
  }
  const int doublings = std::min(failures_++, 20);
  const duration whole = std::min(how_.longest_pause, how_.first_pause * (1 << doublings));
  next_ = earliest_ = after(now, whole / 2 + part_of(whole) / 2);
  return true;
}

}  // namespace seawall::redis
