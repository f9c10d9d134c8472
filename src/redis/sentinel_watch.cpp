#include "sentinel_watch.hpp"

#include "seawall/cmd/error.hpp"

#include <algorithm>
#include <utility>

namespace seawall::redis {
namespace {

backoff_options pauses(const options& how) {
  return {.first = std::min(how.backoff.first, sentinel_watch::most_pause),
          .most = std::min(how.backoff.most, sentinel_watch::most_pause)};
}

}  // namespace

sentinel_watch::sentinel_watch(services& with, listener& who)
    : services_(with), listener_(who), backoff_(pauses(with.options), with.random),
      timer_(std::make_shared<boost::asio::steady_timer>(with.executor)) {}

sentinel_watch::~sentinel_watch() { *alive_ = false; }

void sentinel_watch::hint() {
  if (closed_) return;
  if (round_) again_ = true;
  else arm(began_ ? std::max(services_.clock->now(), after(*began_, least_gap)) : services_.clock->now());
}

void sentinel_watch::set_settled(bool settled) {
  if (std::exchange(settled_, settled) == settled) return;
  if (settled) backoff_.reset();
  else hint();
}

void sentinel_watch::close() {
  closed_ = true;
  timer_->cancel();
  round_.reset();
  links_.clear();
}

std::string sentinel_watch::account() const {
  if (!last_account_.empty()) return last_account_;
  return round_ ? round_->account() : "no sentinel was asked yet";
}

sentinel_link& sentinel_watch::link(const net::address& where) {
  auto& one = links_[where];
  sentinel_link::listener& who = *this;
  if (!one) one = std::make_unique<sentinel_link>(services_, who, where, services_.endpoint.primary_name);
  return *one;
}

// --- a round --------------------------------------------------------------------------------------------------------

void sentinel_watch::begin() {
  began_ = services_.clock->now();
  again_ = false;
  // Those that nobody tells about any more are left alone. Here none of them is talking.
  const auto& configured = services_.endpoint.servers;
  std::erase_if(links_, [&](const auto& one) {
    return std::ranges::find(known_, one.first) == known_.end() &&
           std::ranges::find(configured, one.first) == configured.end();
  });
  services_.counters.topology_refreshes.add();
  round_.emplace(services_.endpoint.primary_name, services_.endpoint.servers);
  advance();
}

// Asks whom the round wants asked. Answers may come from inside `ask`.
void sentinel_watch::advance() {
  if (std::exchange(advancing_, true)) return;
  const duration wait = std::min(patience, services_.options.connect_timeout);
  while (round_->now_in() == sentinel_resolve::state::going_on) {
    const auto those = round_->to_ask();
    if (those.empty()) break;
    for (const auto& where : those) link(where).ask(after(services_.clock->now(), wait));
  }
  advancing_ = false;
  if (round_->now_in() != sentinel_resolve::state::going_on) finish();
}

void sentinel_watch::on_answer(sentinel_link& from, result<sentinel_answer> says) {
  if (!round_) return;
  if (says) round_->answered(from.where(), std::move(*says));
  else round_->failed(from.where(), says.error().message());
  advance();
}

void sentinel_watch::finish() {
  const sentinel_resolve done = std::move(*round_);
  round_.reset();
  last_account_ = done.account();
  const auto& name = services_.endpoint.primary_name;
  for (const auto& [where, one] : links_) one->withdraw();
  switch (done.now_in()) {
    case sentinel_resolve::state::found:
      known_ = done.known();
      for (const auto& where : known_) link(where).subscribe();
      listener_.on_found(done.found(), *began_);
      break;
    case sentinel_resolve::state::unknown_name:
      listener_.on_unknown_name(error{cmd::errc::unreachable,
                                      fmt::format("the sentinels know no primary '{}': {}", name, last_account_)});
      break;
    default:
      listener_.on_undecided(error{cmd::errc::unreachable,
                                   fmt::format("no majority of the sentinels names one primary '{}': {}", name,
                                               last_account_)});
  }
  if (closed_) return;
  const time_point now = services_.clock->now();
  if (again_) {
    arm(after(*began_, least_gap));
  } else if (settled_) {
    const double kept = 1.0 - services_.random.uniform() / 4;
    arm(after(now, duration{static_cast<duration::rep>(static_cast<double>(period.count()) * kept)}));
  } else {
    arm(after(now, backoff_.next()));
  }
}

void sentinel_watch::arm(time_point at) {
  if (at >= armed_) return;
  armed_ = at;
  timer_->expires_at(at);
  timer_->async_wait([this, alive = alive_, held = timer_](boost::system::error_code stopped) {
    if (!*alive || stopped || closed_) return;
    armed_ = never;
    begin();
  });
}

}  // namespace seawall::redis
