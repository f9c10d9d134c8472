#include "subscriber_link.hpp"

#include "seawall/cmd/error.hpp"
#include "seawall/resp/command_bytes.hpp"
#include "seawall/resp/error.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace seawall::redis {
namespace {

// Changes on the wire at the same time.
constexpr std::size_t most_in_flight = 256;
// Topics that come and go faster than the server answers would pile up.
constexpr std::size_t most_waiting = 4 * topics::most;

std::size_t in_flight_limit(const options& how) {
  const bool tight = how.max_queued_bytes < most_in_flight * (topics::most_bytes + 128);
  return tight ? 1 : std::min(most_in_flight, how.max_queued_commands);
}

struct words {
  topic_kind kind;
  std::string_view message, subscribe, unsubscribe;
  std::string_view subscribe_command, unsubscribe_command;
};
constexpr std::array<words, 3> all_words{{
    {topic_kind::channel, "message", "subscribe", "unsubscribe", "SUBSCRIBE", "UNSUBSCRIBE"},
    {topic_kind::pattern, "pmessage", "psubscribe", "punsubscribe", "PSUBSCRIBE", "PUNSUBSCRIBE"},
    {topic_kind::sharded, "smessage", "ssubscribe", "sunsubscribe", "SSUBSCRIBE", "SUNSUBSCRIBE"},
}};

// Counts a call while it lasts.
class counted {
 public:
  explicit counted(int& calls) : calls_(calls) { ++calls_; }
  ~counted() { --calls_; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;

 private:
  int& calls_;
};

error ended_error() { return error{errc::closed, "this subscription has ended"}; }

}  // namespace

std::string subscribe_bytes(topic_kind kind, bool subscribe, std::string_view name) {
  const words& known = all_words[static_cast<std::size_t>(kind)];
  std::string all;
  all += resp::command_bytes{subscribe ? known.subscribe_command : known.unsubscribe_command, name}.bytes();
  all += resp::command_bytes{"PING"}.bytes();
  return all;
}

class subscriber_link::change final : public request {
 public:
  change(subscriber_link& of, topic_kind kind_of, bool subscribes_to, std::string_view name_of, std::uint64_t order_of)
      : kind(kind_of), subscribes(subscribes_to), name(name_of), order(order_of), of_(of),
        text_(subscribe_bytes(kind_of, subscribes_to, name_of)) {
    bytes = text_;
    traits.effect = cmd::effect::admin;
    traits.connection_state = true;
    book.flags = multiplexer::refusals_are_extra;
  }
  void on_reply(std::size_t, resp::view reply) noexcept override {
    if (reply.is_error() && !refusal) refusal = reply.text();
  }
  void on_end(const error* failure) noexcept override { of_.ended(*this, failure); }

  const topic_kind kind;
  const bool subscribes;
  const std::string name;
  const std::uint64_t order;
  bool confirmed = false;
  std::optional<std::string> refusal;

 private:
  subscriber_link& of_;
  const std::string text_;
};

subscriber_link::subscriber_link(services& with, listener& who, net::address where)
    : services_(with), listener_(&who) {
  const connection::settings how{.must_be_primary = with.endpoint.kind == topology_kind::sentinel, .reconnect = false};
  ender& ends = *this;
  connection_owner& owner = *this;
  connection_ = std::make_shared<connection>(with, ends, owner, std::move(where), how);
}

subscriber_link::~subscriber_link() {
  listener_ = nullptr;
  connection_->close(ended_error());
}

void subscriber_link::open() { connection_->open(); }

void subscriber_link::retire() {
  listener_ = nullptr;
  if (calls_ == 0) return connection_->close(ended_error());
  boost::asio::post(services_.executor, [self = shared_from_this()] { self->connection_->close(ended_error()); });
}

// --- changes --------------------------------------------------------------------------------------------------------

void subscriber_link::subscribe(topic_kind kind, std::string_view name, std::uint64_t order) {
  enqueue(std::make_unique<change>(*this, kind, true, name, order));
}

void subscriber_link::unsubscribe(topic_kind kind, std::string_view name) {
  enqueue(std::make_unique<change>(*this, kind, false, name, 0));
}

void subscriber_link::enqueue(std::unique_ptr<change> next) {
  waiting_.push_back(std::move(next));
  if (waiting_.size() > most_waiting) {
    return lost(error{cmd::errc::queue_full, fmt::format("{}: {} changes of topics wait already", address().text(),
                                                         most_waiting)});
  }
  submit_some();
}

void subscriber_link::submit_some() {
  const std::size_t most = in_flight_limit(services_.options);
  while (listener_ && connection_->now_in() == connection::state::ready && !waiting_.empty() &&
         in_flight_.size() < most) {
    in_flight_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    change& next = *in_flight_.back();
    next.timeout = services_.options.connect_timeout;
    next.book.deadline = after(services_.clock->now(), next.timeout);
    connection_->submit(next);
  }
}

void subscriber_link::ended(change& which, const error* failure) {
  const auto at = std::ranges::find(in_flight_, &which, &std::unique_ptr<change>::get);
  const std::unique_ptr<change> done = std::move(*at);
  in_flight_.erase(at);
  if (failure) return lost(*failure);
  if (!listener_) return;
  if (done->refusal) {
    if (done->subscribes) listener_->on_refused(*this, done->kind, done->name, done->order, *done->refusal);
  } else if (!done->confirmed) {
    return lost(error{resp::errc::protocol, fmt::format("{}: neither a confirmation nor an error for {}",
                                                        address().text(), done->name)});
  }
  submit_some();
}

void subscriber_link::lost(const error& why) {
  // The end of each change in flight comes here, too.
  if (listener_) std::exchange(listener_, nullptr)->on_lost(*this, why);
}

// --- what comes from the connection ---------------------------------------------------------------------------------

void subscriber_link::on_ready(connection&) {
  const counted inside{calls_};
  submit_some();
}

void subscriber_link::on_down(connection&, const error& why) {
  const auto self = shared_from_this();
  const counted inside{calls_};
  lost(why);
}

void subscriber_link::on_batch() {
  const auto self = shared_from_this();
  const counted inside{calls_};
  if (listener_) listener_->on_batch();
}

void subscriber_link::end(request& asked, const error* failure) {
  const counted inside{calls_};
  asked.on_end(failure);
}

void subscriber_link::on_push(connection&, const resp::view& push) {
  const auto self = shared_from_this();
  const counted inside{calls_};
  if (listener_) hand_out(push);
}

void subscriber_link::hand_out(const resp::view& push) {
  const std::string_view word = push[0].text();
  for (const words& known : all_words) {
    if (word == known.message) {
      const bool by_pattern = known.kind == topic_kind::pattern;
      const std::size_t at = by_pattern ? 2 : 1;
      return listener_->on_message(*this, {.channel = push[at].text(),
                                           .payload = push[at + 1].text(),
                                           .pattern = by_pattern ? push[1].text() : std::string_view{},
                                           .kind = known.kind});
    }
    if (word == known.subscribe) return heed(known.kind, true, push[1].text());
    if (word == known.unsubscribe) return heed(known.kind, false, push[1].text());
  }
}

void subscriber_link::heed(topic_kind kind, bool subscribed, std::string_view name) {
  if (!in_flight_.empty()) {
    change& first = *in_flight_.front();
    if (first.kind == kind && first.subscribes == subscribed && first.name == name) {
      first.confirmed = true;
      if (subscribed) listener_->on_confirmed(*this, kind, name, first.order);
      return;
    }
  }
  if (!subscribed) listener_->on_taken_away(*this, kind, name);
}

}  // namespace seawall::redis
