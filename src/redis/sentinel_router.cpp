// The primary that the sentinels name, and its replicas.
#include "retry.hpp"
#include "router.hpp"
#include "sentinel_watch.hpp"

#include "seawall/base/hash.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace seawall::redis {
namespace {

/// Requests go to the server that a majority of the sentinels names and that calls itself primary (ROLE, at each
/// connect). A new primary takes over once it is greeted: until then an old one that lives goes on serving, and its
/// requests that may be sent elsewhere move over. A primary that was lost and comes back serves only after the
/// sentinels have named it once more, for it may have been replaced meanwhile; if they cannot agree, it serves.
class sentinel_router final : public router, private sentinel_watch::listener {
 public:
  explicit sentinel_router(router_host& host)
      : host_(host), services_(host.shared()),
        room_(services_, host, [this](request& asked) { route(asked); }, [this](request&) { return late(); }),
        watch_(services_, *this) {}

  // router
  void route(request& asked) override;
  void close(const error& why) override;
  node* node_for(const request&) override { return serving(); }
  std::vector<node*> primaries() override { return serving() ? std::vector{serving()} : std::vector<node*>{}; }

  // connection_owner
  bool redirect(connection& from, request& asked, const resp::view& error_reply) override;
  void on_ready(connection& who) override;
  void on_down(connection& who, const error& why) override;
  void on_batch() override { host_.pump(); }

 private:
  // The sentinels' word is fresh for so long.
  static constexpr duration fresh = std::chrono::milliseconds{100};
  // A lower epoch than one seen before is said by sentinels that are behind; if they say it for so long, they were set
  // up anew.
  static constexpr duration behind_for = std::chrono::seconds{30};

  // sentinel_watch::listener
  void on_found(const sentinel_view& primary, time_point asked_at) override;
  void on_undecided(const error& why) override;
  void on_unknown_name(const error& why) override;

  node* serving() { return settled_ ? chosen_.get() : old_.get(); }
  node* replica_for(const request& asked);
  void choose(const net::address& where);
  bool is_behind(const sentinel_view& seen);
  void serve();
  void discard(std::unique_ptr<node>& which, const error& why);
  void use_replicas(const std::vector<net::address>& those);
  void primary_down(const error& why);
  void route_all(const std::vector<request*>& those);
  error late() const;

  router_host& host_;
  services& services_;
  std::unique_ptr<node> chosen_;  // whom the sentinels name
  std::unique_ptr<node> old_;     // who serves until that one is greeted
  std::vector<std::unique_ptr<node>> replicas_;
  bool settled_ = false;          // chosen_ serves
  std::optional<time_point> named_at_;  // when the question began to which chosen_ is the answer
  std::uint64_t epoch_ = 0;
  time_point behind_since_ = never;
  std::string last_failure_;
  waiting_room room_;
  sentinel_watch watch_;
};

// --- requests -------------------------------------------------------------------------------------------------------

void sentinel_router::route(request& asked) {
  if (node* const one = replica_for(asked)) return one->submit(asked);
  if (node* const one = serving()) return one->submit(asked);
  if (chosen_ && chosen_->shared().front()->refused()) {
    const error why{cmd::errc::unreachable, last_failure_};
    return host_.end(asked, &why);
  }
  // The first request starts everything, and one after an unknown name asks anew; else the watch looks by itself.
  const bool ask = room_.empty() && !chosen_;
  room_.park(asked, never);
  if (ask) watch_.hint();
}

node* sentinel_router::replica_for(const request& asked) {
  const auto& about = asked.traits;
  if (replicas_.empty() || about.effect != cmd::effect::read || about.first_key == 0 || about.blocking) return nullptr;
  const std::string_view key = first_key(asked);
  // A key stays with its replica, so that what a caller reads does not go back in time from one read to the next.
  const std::size_t first = hash_bytes(key.data(), key.size()) % replicas_.size();
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    node* const one = replicas_[(first + i) % replicas_.size()].get();
    if (one->ready()) return one;
  }
  return nullptr;
}

bool sentinel_router::redirect(connection& from, request& asked, const resp::view& error_reply) {
  const remedy cure = remedy_for(cmd::classify(error_reply.text()));
  if (cure != remedy::later && cure != remedy::elsewhere) return false;
  services_.counters.retries.add();
  const bool by_replica = std::ranges::any_of(replicas_, [&](const auto& one) { return one->owns(from); });
  node* const primary = serving();
  if (by_replica && primary) {
    primary->submit(asked);
    return true;
  }
  last_failure_ = from.address().text() + ": " + std::string{error_reply.text()};
  if (cure == remedy::elsewhere && !by_replica) {
    // Greeting it anew shows its role; meanwhile the sentinels are asked.
    from.restart(error{cmd::errc::read_only, last_failure_});
  }
  room_.park(asked, after(services_.clock->now(), refused_pause(services_.random, asked.book.extra++)));
  return true;
}

void sentinel_router::route_all(const std::vector<request*>& those) {
  for (request* one : those) route(*one);
}

error sentinel_router::late() const {
  return error{cmd::errc::unreachable,
               fmt::format("no primary '{}' to send to{}{}; the sentinels: {}", services_.endpoint.primary_name,
                           last_failure_.empty() ? "" : ": ", last_failure_, watch_.account())};
}

void sentinel_router::close(const error& why) {
  watch_.close();
  room_.fail_all(why);
  for (const auto& one : replicas_) one->close(why);
  for (const auto* one : {&chosen_, &old_}) {
    if (*one) (*one)->close(why);
  }
}

// --- connections ----------------------------------------------------------------------------------------------------

void sentinel_router::on_ready(connection& who) {
  if (chosen_ && chosen_->owns(who)) {
    if (settled_) return;
    if (named_at_ && after(*named_at_, fresh) >= services_.clock->now()) serve();
    else watch_.hint();
  } else if (!serving()) {
    // A replica: some of those that wait are reads.
    room_.release_all();
    host_.pump();
  }
}

void sentinel_router::on_down(connection& who, const error& why) {
  if (chosen_ && chosen_->owns(who)) {
    if (chosen_->ready()) watch_.hint();
    else primary_down(why);
  } else if (old_ && old_->owns(who) && !old_->ready()) {
    discard(old_, why);
  } else {
    for (const auto& one : replicas_) {
      if (one->owns(who)) route_all(one->take_waiting());
    }
  }
  host_.pump();
}

void sentinel_router::primary_down(const error& why) {
  last_failure_ = why.message();
  named_at_.reset();
  const auto waiting = chosen_->take_waiting();
  settled_ = false;
  if (chosen_->shared().front()->refused() && !old_) room_.fail_all(why);
  route_all(waiting);
  watch_.set_settled(false);
}

void sentinel_router::serve() {
  settled_ = true;
  last_failure_.clear();
  services_.log(log_level::info, "{} is the primary '{}'", chosen_->address().text(), services_.endpoint.primary_name);
  watch_.set_settled(true);
  discard(old_, error{cmd::errc::connection_lost, fmt::format("the primary '{}' is {} now",
                                                              services_.endpoint.primary_name,
                                                              chosen_->address().text())});
  room_.release_all();
  host_.pump();
}

void sentinel_router::discard(std::unique_ptr<node>& which, const error& why) {
  if (const auto gone = std::exchange(which, nullptr)) route_all(gone->retire(why));
}

// --- what the sentinels say -----------------------------------------------------------------------------------------

void sentinel_router::on_found(const sentinel_view& primary, time_point asked_at) {
  if ((!chosen_ || chosen_->address() != primary.primary) && !is_behind(primary)) choose(primary.primary);
  if (chosen_->address() != primary.primary) return;
  epoch_ = primary.epoch;
  behind_since_ = never;
  named_at_ = asked_at;
  if (!settled_ && chosen_->ready()) serve();
  else chosen_->open();
  use_replicas(primary.replicas);
  host_.pump();
}

bool sentinel_router::is_behind(const sentinel_view& seen) {
  if (!settled_ || seen.epoch >= epoch_) return false;
  const time_point now = services_.clock->now();
  behind_since_ = std::min(behind_since_, now);
  return now < after(behind_since_, behind_for);
}

void sentinel_router::choose(const net::address& where) {
  const error why{cmd::errc::connection_lost, fmt::format("the primary '{}' moves to {}",
                                                          services_.endpoint.primary_name, where.text())};
  auto next = old_ && old_->address() == where ? std::move(old_) : nullptr;
  if (settled_) old_ = std::move(chosen_);
  settled_ = false;
  discard(chosen_, why);
  const connection::settings how{.tracking = services_.options.tracking != nullptr, .must_be_primary = true};
  chosen_ = next ? std::move(next) : std::make_unique<node>(services_, host_, *this, where, how);
  watch_.set_settled(false);
}

void sentinel_router::on_undecided(const error& why) {
  services_.log(log_level::warning, "{}", why.message());
  if (chosen_ && !settled_ && chosen_->ready()) serve();
}

void sentinel_router::on_unknown_name(const error& why) {
  if (chosen_) return on_undecided(why);
  room_.fail_all(why);
}

void sentinel_router::use_replicas(const std::vector<net::address>& those) {
  if (services_.options.read_from != read_from::prefer_replica) return;
  std::vector<std::unique_ptr<node>> kept;
  const connection::settings how{.tracking = services_.options.tracking != nullptr};
  for (const auto& where : those) {
    const auto same = [&](const auto& one) { return one && one->address() == where; };
    const auto at = std::ranges::find_if(replicas_, same);
    kept.push_back(at != replicas_.end() ? std::move(*at)
                                         : std::make_unique<node>(services_, host_, *this, where, how));
    kept.back()->open();
  }
  std::swap(kept, replicas_);
  for (auto& gone : kept) {
    if (gone) discard(gone, error{cmd::errc::connection_lost, gone->address().text() + " is no replica any more"});
  }
}

}  // namespace

std::unique_ptr<router> make_sentinel_router(router_host& host) { return std::make_unique<sentinel_router>(host); }

}  // namespace seawall::redis
