#include "sim_link.hpp"

#include "seawall/cmd/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

namespace simulation {

using seawall::error;
using seawall::cmd::effect;
using seawall::cmd::request;

void sim_link::submit(request& asked) { take(asked); }

// The chain is read first: a request may be gone, with the others, as soon as it has ended.
void sim_link::submit_all(request& first) {
  std::vector<request*> all;
  for (request* one = &first; one; one = one->next) all.push_back(one);
  for (request* one : all) take(*one);
}

void sim_link::take(request& asked) {
  if (dead_) return fail(asked, {seawall::errc::closed, "the process ends"});
  const auto span = asked.timeout == seawall::duration::zero() ? default_timeout() : asked.timeout;
  waiting_.push_back({.ticket = ++tickets_,
                      .who = &asked,
                      .bytes = std::string(asked.bytes),
                      .effect = asked.traits.effect,
                      .deadline = seawall::after(now_, span)});
  earliest_ = std::min(earliest_, waiting_.back().deadline);
  if (connection_ && !greeting_) write(waiting_.back());
}

void sim_link::write(place& one) {
  one.written = true;
  if (!connection_->broken) connection_->in.push_back({one.ticket, one.bytes});
}

void sim_link::fail(request& who, const error& why) {
  ++ends_;
  who.on_end(&why);
}

void sim_link::cancel(request& asked) {
  const auto found = std::ranges::find(waiting_, &asked, &place::who);
  if (found == waiting_.end()) return;
  if (found->written) found->who = nullptr;
  else waiting_.erase(found);
  fail(asked, {seawall::errc::cancelled, "cancelled"});
}

void sim_link::wait(const std::atomic<bool>& done) {
  if (!done.load()) help(done);
}

void sim_link::connect(sim_node& to) {
  connection_ = std::make_shared<sim_connection>();
  connection_->tracked = tracked_ && told_;
  connection_->owner = owner_;
  to.attach(connection_);
  ++generation_;
  stalled_until = {};
  greeting_ = true;
  if (tracked_) feed_->on_tracking(generation_);
  greeting_ = false;
  for (place& one : waiting_) {
    if (!one.written) write(one);
  }
}

std::string sim_link::next_frame() const {
  const sim_connection::frame& next = connection_->out.front();
  switch (next.kind) {
    case sim_connection::frame::is::invalidate: return "that a key has changed: " + next.bytes;
    case sim_connection::frame::is::flush: return "that everything has changed";
    case sim_connection::frame::is::answer: break;
  }
  const bool given_up = waiting_.empty() || !waiting_.front().who;
  return fmt::format("answer {}{}: {}", next.ticket, given_up ? " (given up)" : "", printable(next.bytes));
}

void sim_link::hear_one() {
  sim_connection::frame heard = std::move(connection_->out.front());
  connection_->out.pop_front();
  last_heard = now_;
  if (heard.kind == sim_connection::frame::is::invalidate) {
    if (heard.bytes.starts_with("seawall:tag:")) ++counted.tags_told;
    return feed_->on_invalidate(generation_, heard.bytes);
  }
  if (heard.kind == sim_connection::frame::is::flush) {
    return feed_->on_loss(generation_, seawall::redis::tracking_loss::flushed, 0);
  }
  if (waiting_.empty() || waiting_.front().ticket != heard.ticket) throw std::logic_error("a reply out of order");
  request* const who = waiting_.front().who;
  waiting_.pop_front();
  if (!who) return;
  who->generation = tracked_ ? generation_ : 0;
  who->on_reply(0, seawall::resp::view{heard.bytes});
  ++ends_;
  who->on_end(nullptr);
}

// What was written last may not have left the machine; what the server has not read yet it may still execute.
void sim_link::lose() {
  const auto gone = std::exchange(connection_, nullptr);
  gone->heard = false;
  gone->out.clear();
  while (!gone->in.empty() && draws_.one_in(2)) {
    const std::uint64_t ticket = gone->in.back().ticket;
    gone->in.pop_back();
    std::ranges::find(waiting_, ticket, &place::ticket)->written = false;
  }
  counted.late_commands += gone->in.size();
  if (tracked_) feed_->on_loss(generation_, seawall::redis::tracking_loss::disconnected, 0);
  std::vector<request*> unknown;
  std::erase_if(waiting_, [&](place& one) {
    if (!one.who) return true;
    if (!one.written) return false;
    const bool repeatable = one.effect == effect::read || one.effect == effect::write_last;
    if (repeatable && !draws_.one_in(3)) {
      ++counted.repeated;
      one.written = false;
      return false;
    }
    ++counted.unknown;
    unknown.push_back(one.who);
    return true;
  });
  for (request* one : unknown) fail(*one, {seawall::cmd::errc::connection_lost, "the connection was lost"});
}

void sim_link::fail_unwritten(const error& why) {
  std::vector<request*> ended;
  std::erase_if(waiting_, [&](const place& one) {
    if (one.written) return false;
    if (one.who) ended.push_back(one.who);
    return true;
  });
  for (request* one : ended) fail(*one, why);
}

void sim_link::refuse() { fail_unwritten({seawall::cmd::errc::unreachable, "no connection"}); }

bool sim_link::has_late() const {
  if (now_ < earliest_) return false;
  earliest_ = seawall::never;
  for (const place& one : waiting_) {
    if (one.who) earliest_ = std::min(earliest_, one.deadline);
  }
  return earliest_ <= now_;
}

void sim_link::time_out() {
  std::vector<request*> late;
  std::erase_if(waiting_, [&](place& one) {
    if (!one.who || one.deadline > now_) return false;
    late.push_back(std::exchange(one.who, nullptr));
    return !one.written;
  });
  counted.timeouts += late.size();
  for (request* one : late) fail(*one, {seawall::errc::timed_out, "no answer in time"});
}

void sim_link::kill() {
  if (std::exchange(dead_, true)) return;
  if (const auto gone = std::exchange(connection_, nullptr)) {
    gone->heard = false;
    gone->out.clear();
    while (!gone->in.empty() && draws_.one_in(2)) gone->in.pop_back();
  }
  const auto all = std::exchange(waiting_, {});
  for (const place& one : all) {
    if (one.who) fail(*one.who, {seawall::errc::closed, "the process ends"});
  }
}

}  // namespace simulation
