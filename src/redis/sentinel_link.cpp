#include "sentinel_link.hpp"

#include "seawall/cmd/error.hpp"
#include "seawall/resp/command_bytes.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace seawall::redis {
namespace {

error left_error() { return error{errc::closed, "this sentinel is not asked any more"}; }

}  // namespace

class sentinel_link::question final : public request {
 public:
  explicit question(sentinel_link& of) : of_(of), text_(sentinel_question(of.name_)) {
    bytes = text_;
    replies = sentinel_question_replies;
    traits.effect = cmd::effect::admin;  // a new round asks anew
  }
  void on_reply(std::size_t index, resp::view reply) noexcept override { reader.on_reply(index, reply); }
  void on_end(const error* failure) noexcept override {
    under_way = false;
    of_.question_ended(failure);
  }

  bool under_way = false;
  sentinel_reader reader;

 private:
  sentinel_link& of_;
  const std::string text_;
};

// SUBSCRIBE is answered by a push message; the reply is that of the PING behind it.
class sentinel_link::subscription final : public request {
 public:
  explicit subscription(sentinel_link& of) : of_(of) {
    text_ = resp::command_bytes{"SUBSCRIBE", sentinel_channel}.bytes();
    text_ += resp::command_bytes{"PING"}.bytes();
    bytes = text_;
    traits.effect = cmd::effect::admin;
  }
  void on_reply(std::size_t, resp::view reply) noexcept override { refused_ = reply.is_error(); }
  void on_end(const error* failure) noexcept override {
    under_way = false;
    if (failure || !refused_) return;
    // It would refuse the next time, too. Not from here: the connection is handing out replies.
    boost::asio::post(of_.services_.executor, [those = of_.listening_.made] { those->close(left_error()); });
  }

  bool under_way = false;

 private:
  sentinel_link& of_;
  std::string text_;
  bool refused_ = false;
};

sentinel_link::sentinel_link(services& with, listener& who, net::address where, std::string primary_name)
    : services_(with), listener_(who), where_(std::move(where)), name_(std::move(primary_name)),
      question_(std::make_unique<question>(*this)), subscription_(std::make_unique<subscription>(*this)) {}

sentinel_link::~sentinel_link() {
  withdraw();
  if (asking_.made) asking_.made->close(left_error());
  if (listening_.made) listening_.made->close(left_error());
}

void sentinel_link::connect(line& which, bool reconnect) {
  const connection::settings how{.reconnect = reconnect, .sentinel = true, .login = login_};
  ender& ends = *this;
  connection_owner& owner = *this;
  which = {.made = std::make_shared<connection>(services_, ends, owner, where_, how), .logs_in = login_};
}

// --- questions ------------------------------------------------------------------------------------------------------

void sentinel_link::ask(time_point deadline) {
  // Without reconnection: each round makes one attempt, and hears at once that it failed.
  if (!asking_.made || asking_.made->now_in() == connection::state::closed) connect(asking_, false);
  question_->renew();
  question_->timeout = deadline - services_.clock->now();
  question_->book.deadline = deadline;
  question_->under_way = true;
  const auto held = asking_.made;
  held->submit(*question_);
  held->flush();
}

void sentinel_link::withdraw() {
  if (!std::exchange(question_->under_way, false)) return;
  static_cast<holder*>(question_->book.where)->forget(*question_);
}

void sentinel_link::question_ended(const error* failure) {
  if (!failure) return listener_.on_answer(*this, question_->reader.take());
  if (may_log_in(asking_, *failure)) return ask(question_->book.deadline);
  listener_.on_answer(*this, std::unexpected(*failure));
}

bool sentinel_link::may_log_in(line& refused, const error& why) {
  if (why.code() != cmd::errc::no_auth || refused.logs_in || services_.endpoint.password.empty()) return false;
  login_ = true;
  const auto old = std::exchange(refused.made, nullptr);
  old->close(why);
  return true;
}

// --- messages -------------------------------------------------------------------------------------------------------

void sentinel_link::subscribe() {
  if (listening_.made) return;
  connect(listening_, true);
  listening_.made->open();
}

void sentinel_link::on_ready(connection& who) {
  if (&who != listening_.made.get() || subscription_->under_way) return;
  subscription_->renew();
  subscription_->under_way = true;
  who.submit(*subscription_);
}

void sentinel_link::on_push(connection& from, const resp::view& message) {
  if (&from != listening_.made.get()) return;
  // What was published before the subscription began is lost: ask once.
  if (is_switch_message(message, name_) || message[0].text() == "subscribe") listener_.on_hint();
}

void sentinel_link::on_down(connection& who, const error& why) {
  if (&who == listening_.made.get() && may_log_in(listening_, why)) subscribe();
}

}  // namespace seawall::redis
