#include "connection.hpp"

#include "retry.hpp"
#include "seawall/cmd/error.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace seawall::redis {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// So many buffers are read before others on this executor get a turn.
constexpr int reads_in_a_row = 16;
// Fewer commands are not worth a write of their own while more replies are to be handed out.
constexpr std::size_t least_to_write = 12;

multiplexer::limits queue_limits(const options& how) {
  return {.commands = how.max_queued_commands, .bytes = how.max_queued_bytes, .reply = how.reply_limits};
}

}  // namespace

// PING, when nothing else shows that the server lives.
class connection::probe final : public request {
 public:
  explicit probe(connection& of) : of_(of) {
    bytes = "*1\r\n$4\r\nPING\r\n";
    traits.effect = cmd::effect::admin;
  }
  void on_reply(std::size_t, resp::view) noexcept override {
    if (of_.announced_) of_.services_.options.tracking->on_alive(of_.generation_);
  }
  void on_end(const error*) noexcept override { under_way = false; }

  bool under_way = false;

 private:
  connection& of_;
};

connection::connection(services& with, ender& ends, connection_owner& owner, net::address to, const settings& how)
    : services_(with), ends_(ends), owner_(owner), address_(std::move(to)), settings_(how),
      mux_(*this, queue_limits(with.options)), backoff_(with.options.backoff, with.random),
      liveness_(with.options.health_interval), timer_(with.executor), probe_(std::make_unique<probe>(*this)) {}

connection::~connection() = default;

std::shared_ptr<net::stream::events> connection::self_events() {
  return {shared_from_this(), static_cast<net::stream::events*>(this)};
}

// What a connection calls meanwhile may come here again.
void services::flush_dirty() {
  while (!dirty.empty()) {
    auto those = std::exchange(spare, {});
    std::swap(those, dirty);
    for (const auto& one : those) one->flush();
    those.clear();
    spare = std::move(those);
  }
}

// --- requests -------------------------------------------------------------------------------------------------------

void connection::submit(request& asked, bool asking) {
  if (state_ == state::closed || (state_ == state::waiting && refused_)) {
    return ends_.end(asked, last_failure_ ? &*last_failure_ : nullptr);
  }
  if (const auto full = mux_.push(asked, asking)) {
    const error why{full->code(), address_.text() + ": " + full->message()};
    return ends_.end(asked, &why);
  }
  asked.book.where = static_cast<holder*>(this);
  if (state_ == state::idle) connect();
  if (!std::exchange(dirty_, true)) services_.dirty.push_back(shared_from_this());
  if (asked.book.deadline < armed_) arm();
}

bool connection::forget(request& asked) {
  const bool written = mux_.forget(asked);
  // A server that waits for something would hold up whoever comes next.
  if (written && asked.traits.blocking) restart(error{errc::cancelled, address_.text() + ": a blocking command ended"});
  return written;
}

void connection::flush() {
  dirty_ = false;
  while (state_ == state::ready && !write_blocked_) {
    const auto bytes = mux_.unwritten();
    if (bytes.empty()) return;
    error_code failed;
    const std::size_t n = stream_->try_write(bytes, failed);
    if (failed && handing_out_) return;  // replies that came are handed out first; reading meets the failure, too
    if (failed) return lost(broken(failed));
    if (n == 0) {
      write_blocked_ = true;
      return stream_->wait_writable(self_events());
    }
    mux_.written(n);
    services_.counters.writes.add();
    services_.counters.sent_bytes.add(n);
  }
}

bool connection::take_over(request& asked, const resp::view& error_reply) {
  return owner_.redirect(*this, asked, error_reply);
}

void connection::on_end(request& asked, const error* failure) {
  if (&asked == probe_.get()) return asked.on_end(failure);
  ends_.end(asked, failure);
  if (!handing_out_ || ++ended_ < enough_to_write_) return;
  ended_ = 0;
  owner_.on_batch();
}

void connection::on_push(const resp::view& message) {
  services_.counters.pushes.add();
  if (announced_ && message[0].text() == "invalidate") return invalidated(message);
  owner_.on_push(*this, message);
}

void connection::invalidated(const resp::view& message) {
  auto& listener = *services_.options.tracking;
  const resp::view keys = message[1];
  if (keys.is_null()) return listener.on_loss(generation_, tracking_loss::flushed, 0);
  for (const resp::view key : keys) listener.on_invalidate(generation_, key.text());
}

// --- reading, writing, waiting --------------------------------------------------------------------------------------

void connection::on_readable() {
  if (state_ == state::greeting) return read_greeting();
  if (state_ == state::ready) read_replies();
}

void connection::read_replies() {
  liveness_.heard(services_.clock->coarse_now());
  error_code failed;
  for (int i = 0; i < reads_in_a_row && !failed; ++i) {
    const auto space = mux_.read_space();
    const std::size_t n = stream_->try_read(space, failed);
    if (n == 0) break;
    services_.counters.received_bytes.add(n);
    // With many replies at once, what their receivers ask next is written before the last one is handed out, so that
    // server and client work at the same time instead of in turns.
    enough_to_write_ = std::max(least_to_write, mux_.in_flight() / 5);
    ended_ = 0;
    handing_out_ = true;
    const auto taken = mux_.received(n);
    handing_out_ = false;
    if (!taken) {
      return lost(error{taken.error().code(), address_.text() + ": " + taken.error().message()});
    }
    if (state_ != state::ready) return;  // closed by its owner while replies were handed out
    if (n < space.size() && !stream_->holds_more()) break;
  }
  if (failed) return lost(broken(failed));
  owner_.on_batch();
  flush();
  if (state_ == state::ready) stream_->wait_readable(self_events());
}

void connection::on_writable() {
  write_blocked_ = false;
  if (state_ == state::greeting) write_greeting();
  else flush();
}

error connection::broken(error_code failed) const {
  const char* const when = state_ == state::greeting ? "while greeting: " : "";
  return error{failed, fmt::format("{}: {}{}", address_.text(), when,
                                   failed == asio::error::eof ? "the server closed the connection" : failed.message())};
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): what it came from may be part of what is ended here
void connection::lost(error why, bool for_good) {
  const bool was_ready = state_ == state::ready;
  if (state_ == state::closed) return;
  const auto self = shared_from_this();
  if (attempt_) std::exchange(attempt_, nullptr)->cancel();
  if (stream_) std::exchange(stream_, nullptr)->close();
  handshake_.reset();
  (was_ready ? services_.counters.disconnects : services_.counters.connect_failures).add();
  services_.log(log_level::warning, "{}", why.message());
  last_failure_ = why;
  refused_ = for_good;
  state_ = settings_.reconnect ? state::waiting : state::closed;
  if (std::exchange(announced_, false)) {
    services_.options.tracking->on_loss(generation_, tracking_loss::disconnected, 0);
  }
  end_unrepeatable(why);
  if (state_ == state::closed || for_good) mux_.fail_all(why);
  if (state_ == state::waiting) reconnect_at_ = after(services_.clock->now(), backoff_.next());
  owner_.on_down(*this, why);
  arm();
}

// After the connection broke: requests that are not written, and those that may be repeated, wait to be written again.
void connection::end_unrepeatable(const error& why) {
  const error broke{cmd::errc::connection_lost, fmt::format("{} (the command was on its way: it may have been applied)",
                                                            why.message())};
  mux_.disconnected(
      [&](request& asked) {
        if (&asked == probe_.get() || !settings_.reconnect) return false;
        if (!may_repeat(asked.traits.effect, true, asked.book.attempts, services_.options.max_retries)) return false;
        ++asked.book.attempts;
        services_.counters.retries.add();
        return true;
      },
      broke);
}

std::vector<request*> connection::retire(const error& why) {
  if (state_ == state::closed) return {};
  end_unrepeatable(why);
  std::vector<request*> left = take_waiting();
  close(why);
  return left;
}

std::vector<request*> connection::take_waiting() {
  std::vector<request*> taken = mux_.take_waiting();
  if (std::erase(taken, probe_.get()) != 0) probe_->under_way = false;
  return taken;
}

void connection::restart(const error& why) {
  asio::post(services_.executor, [self = shared_from_this(), why, generation = generation_] {
    if (self->state_ == state::ready && self->generation_ == generation) self->lost(why);
  });
}

void connection::close(const error& why) {
  if (state_ == state::closed) return;
  const auto self = shared_from_this();
  state_ = state::closed;
  last_failure_ = why;
  timer_.cancel();
  if (attempt_) std::exchange(attempt_, nullptr)->cancel();
  if (stream_) std::exchange(stream_, nullptr)->close();
  if (std::exchange(announced_, false)) {
    services_.options.tracking->on_loss(generation_, tracking_loss::disconnected, 0);
  }
  mux_.fail_all(why);
}

void connection::arm() {
  if (state_ == state::closed) return;
  time_point next = mux_.earliest();
  if (state_ == state::ready) next = std::min(next, liveness_.next());
  if (state_ == state::waiting) next = std::min(next, reconnect_at_);
  if (state_ == state::greeting) next = std::min(next, greeted_by_);
  if (next >= armed_) return;
  armed_ = next;
  timer_.expires_at(next);
  timer_.async_wait([weak = weak_from_this()](error_code stopped) {
    if (const auto self = weak.lock(); self && !stopped) self->on_timer();
  });
}

void connection::on_timer() {
  armed_ = never;
  const time_point now = services_.clock->now();
  if (mux_.earliest() <= now) mux_.expire(now, [this](request& asked, bool written) { expired(asked, written); });
  if (state_ == state::waiting && reconnect_at_ <= now) connect();
  if (state_ == state::greeting && greeted_by_ <= now) {
    return lost(error{net::connect_errc::timed_out, address_.text() + ": no answer to the greeting"});
  }
  if (state_ == state::ready) {
    switch (liveness_.tick(now)) {
      case liveness::action::nothing: break;
      case liveness::action::ping: ping(); break;
      case liveness::action::dead:
        lost(error{net::connect_errc::timed_out, fmt::format("{}: no sign of life for {} ms", address_.text(),
                                                             services_.options.health_interval * 2 /
                                                                 std::chrono::milliseconds{1})});
    }
  }
  arm();
}

void connection::ping() {
  if (probe_->under_way) return;
  probe_->renew();
  probe_->under_way = !mux_.push(*probe_);
  flush();
}

void connection::expired(request& asked, bool written) {
  services_.counters.timeouts.add();
  owner_.on_late(*this);
  const auto waited = services_.clock->now() - asked.book.deadline + asked.timeout;
  const auto ms = waited / std::chrono::milliseconds{1};
  if (state_ != state::ready && last_failure_) {
    const error why{cmd::errc::unreachable, fmt::format("{} (given up after {} ms)", last_failure_->message(), ms)};
    return ends_.end(asked, &why);
  }
  if (state_ != state::ready) {
    const error why{cmd::errc::unreachable, fmt::format("{}: no connection after {} ms, while {}", address_.text(), ms,
                                                        attempt_ ? attempt_->stage() : "greeting")};
    return ends_.end(asked, &why);
  }
  const error why{errc::timed_out, fmt::format("{}: {} after {} ms", address_.text(),
                                               written ? "no reply (the command may have been applied)" : "not sent",
                                               ms)};
  if (written && asked.traits.blocking) restart(why);
  ends_.end(asked, &why);
}

}  // namespace seawall::redis
