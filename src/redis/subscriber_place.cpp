// Where a subscription's topics are heard: which server, and when to look for another one.
#include "subscriber.hpp"

#include "seawall/cmd/error.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace seawall::redis {
namespace {

error moved_away(const net::address& from) {
  return error{cmd::errc::connection_lost, from.text() + " is not the right server any more"};
}

// Never sent: it shows a router where a topic belongs.
class where_is final : public request {
 public:
  where_is(topic_kind kind, std::string_view name) : text_(subscribe_bytes(kind, true, name)) {
    bytes = text_;
    if (kind == topic_kind::sharded) traits.first_key = 1;
    if (kind == topic_kind::sharded) traits.last_key = 1;
  }
  void on_reply(std::size_t, resp::view) noexcept override {}
  void on_end(const error*) noexcept override {}

 private:
  const std::string text_;
};

}  // namespace

// A PING by the client's shared connections: makes the router find its servers.
class subscriber::locating final : public request {
 public:
  explicit locating(subscriber& of) : of_(of) {
    bytes = "*1\r\n$4\r\nPING\r\n";
    traits.effect = cmd::effect::read;
  }
  void begin() {
    renew();
    timeout = of_.services_.options.connect_timeout;
    held_ = of_.shared_from_this();
    of_.core_->submit(*this);
  }
  bool under_way() const noexcept { return held_ != nullptr; }
  void on_reply(std::size_t, resp::view) noexcept override {}
  void on_end(const error* failure) noexcept override {
    const auto self = std::move(held_);
    self->located(failure);
  }

 private:
  subscriber& of_;
  std::shared_ptr<subscriber> held_;
};

void subscriber::start() {
  locating_ = std::make_shared<locating>(*this);
  post([](subscriber& self) { self.core_->attach(self.shared_from_this()); });
}

void subscriber::wake() {
  if (closed_ || std::exchange(woken_, true)) return;
  boost::asio::post(services_.executor, [self = shared_from_this()] { self->work(); });
}

void subscriber::work() {
  woken_ = false;
  if (closed_) return;
  const time_point now = services_.clock->now();
  expire_waiters(now);
  check_places(now);
  place_all(now);
  sweep();
  arm();
  core_->pump();
}

void subscriber::expire_waiters(time_point now) {
  const auto those = waiters_;
  for (const auto& one : those) {
    if (one->deadline > now) continue;
    std::optional<error> why;
    for (const auto& [kind, name] : one->added) {
      const entry* const missing = entries_.find(kind, name);
      if (missing && missing->waits == one && missing->why) why = missing->why;
    }
    const error late{errc::timed_out, fmt::format("no confirmation of {} topics after {} ms: {}", one->left,
                                                  timeout_ / std::chrono::milliseconds{1},
                                                  why ? why->message() : "no server has answered")};
    finish(one, &late);
  }
}

// A server that is cut off from the others says nothing when it loses its role.
void subscriber::check_places(time_point now) {
  const topology_kind kind = services_.endpoint.kind;
  if (kind == topology_kind::standalone || now < next_check_) return;
  next_check_ = after(now, check_period);
  std::vector<std::shared_ptr<subscriber_link>> wrong;
  if (kind == topology_kind::sentinel) {
    const node* const primary = node_for(topic_kind::channel, {});
    for (const auto& [where, link] : links_) {
      if (primary && primary->address() != where) wrong.push_back(link);
    }
  } else if (plain_) {
    const auto all = core_->router().primaries();
    const bool known = std::ranges::any_of(all, [&](node* one) { return one->address() == plain_->address(); });
    if (!all.empty() && !known) wrong.push_back(links_.at(plain_->address()));
  }
  for (const auto& link : wrong) on_lost(*link, moved_away(link->address()));
  if (kind != topology_kind::cluster) return;
  // The client's map may be older than what the link's server knows: that one is asked again, which changes nothing.
  entries_.for_each([&](topic_kind of, std::string_view name, entry& one) {
    if (of != topic_kind::sharded || one.now_in != entry::state::confirmed) return;
    const node* const owner = node_for(of, name);
    if (owner && owner->address() != one.at->address()) one.at->subscribe(of, name, one.order);
  });
}

void subscriber::place_all(time_point now) {
  std::vector<std::pair<topic_kind, std::string>> due;
  entries_.for_each([&](topic_kind kind, std::string_view name, entry& one) {
    if (one.now_in == entry::state::unplaced && one.due <= now) due.emplace_back(kind, name);
  });
  for (const auto& [kind, name] : due) {
    entry* const one = entries_.find(kind, name);
    if (!one) continue;
    const auto where = place_for(kind, name, *one);
    if (!where) {
      if (one->tries < 255) ++one->tries;
      one->due = never;  // until `located`
      locate();
      continue;
    }
    one->now_in = entry::state::asked;
    one->order = ++orders_;
    one->at = &link_to(*where);
    if (kind != topic_kind::sharded) plain_ = one->at;
    one->at->subscribe(kind, name, one->order);
  }
}

std::optional<net::address> subscriber::place_for(topic_kind kind, std::string_view name, entry& which) {
  if (services_.endpoint.kind == topology_kind::standalone) return services_.endpoint.servers.front();
  if (which.hint) return std::exchange(which.hint, std::nullopt);
  if (services_.endpoint.kind == topology_kind::cluster) {
    if (kind != topic_kind::sharded && plain_) return plain_->address();
    // Any other node knows the owner better, if the one that was taken for it does not answer.
    if (which.tries % 2 == 1) kind = topic_kind::channel;
  }
  const node* const found = node_for(kind, name);
  return found ? std::optional{found->address()} : std::nullopt;
}

node* subscriber::node_for(topic_kind kind, std::string_view name) {
  const where_is asked{kind, name};
  return core_->router().node_for(asked);
}

subscriber_link& subscriber::link_to(const net::address& where) {
  auto& link = links_[where];
  if (!link) {
    subscriber_link::listener& hears = *this;
    link = std::make_shared<subscriber_link>(services_, hears, where);
    link->open();
  }
  return *link;
}

void subscriber::locate() {
  if (!locating_->under_way()) locating_->begin();
}

void subscriber::located(const error* failure) {
  if (closed_) return;
  const time_point now = services_.clock->now();
  const time_point later = after_pause();
  entries_.for_each([&](topic_kind, std::string_view, entry& one) {
    if (one.now_in != entry::state::unplaced || one.due != never) return;
    if (failure) one.why = *failure;
    one.due = failure || one.tries > 1 ? later : now;
  });
  if (failure) tell_status(failure);
  wake();
}

void subscriber::sweep() {
  std::map<net::address, std::shared_ptr<subscriber_link>> idle = links_;
  entries_.for_each([&](topic_kind, std::string_view, entry& one) {
    if (one.at) idle.erase(one.at->address());
  });
  for (const auto& [where, link] : idle) {
    if (plain_ == link.get()) plain_ = nullptr;
    links_.erase(where);
    link->retire();
  }
}

void subscriber::arm() {
  time_point next = never;
  if (services_.endpoint.kind != topology_kind::standalone && !links_.empty()) next = next_check_;
  for (const auto& one : waiters_) next = std::min(next, one->deadline);
  entries_.for_each([&](topic_kind, std::string_view, entry& one) {
    if (one.now_in == entry::state::unplaced) next = std::min(next, one.due);
  });
  if (next == armed_) return;
  armed_ = next;
  if (next == never) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(next);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code stopped) {
    const auto self = weak.lock();
    if (!self || stopped) return;
    self->armed_ = never;
    self->work();
  });
}

}  // namespace seawall::redis
