// The stream of a capture: what arrives is kept until others see it, then invalidated, and confirmed once delivered.
#include "log_capture.hpp"
#include "steady_now.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seawall {
namespace {

constexpr duration shortest_pause = std::chrono::milliseconds{1};
constexpr duration longest_pause = std::chrono::milliseconds{50};
constexpr duration delivery_pause = std::chrono::milliseconds{5};
constexpr std::size_t most_frames = 10'000;       // before it is looked whether they can be applied
constexpr std::size_t most_unconfirmed = 10'000;  // the age of the oldest is what is asked for

}  // namespace

result<void> change_capture::log_reader::read() {
  collector_->reset();
  pending_.clear();
  pending_steps_ = 0;
  unconfirmed_.clear();
  received_ = settled_ = confirmed_;
  idle_ = 0;
  reply_ = false;
  pause_ = shortest_pause;
  heard_ = next_status_ = source::steady_now();
  begin_reading();
  while (!stopping_) {
    auto more = receive();
    if (!more) return std::unexpected(std::move(more).error());
    if (!pending_.empty() || source::steady_now() >= next_status_) {
      if (auto seen = look(); !seen) return seen;
    } else {
      confirm();
    }
    if (reply_ || source::steady_now() >= next_status_) {
      if (auto told = report(true); !told) return told;
    }
    if (source::steady_now() >= after(heard_, how_.silence)) {
      return sql::fail(sql::errc::unreachable, "the server says nothing: the connection is given up");
    }
    if (!*more) link_->wait(patience());
  }
  return report(false);
}

duration change_capture::log_reader::patience() const {
  duration most = std::max<duration>(next_status_ - source::steady_now(), duration::zero());
  if (!pending_.empty()) most = std::min(most, pause_);
  if (std::max(settled_, idle_) > confirmed_) most = std::min(most, delivery_pause);
  return most;
}

// Whether there may be more at once.
result<bool> change_capture::log_reader::receive() {
  for (std::size_t i = 0; i != most_frames; ++i) {
    if (pending_steps_ > how_.max_steps) {
      heard_ = source::steady_now();  // nobody listens
      return false;
    }
    auto bytes = link_->next();
    if (!bytes) return std::unexpected(std::move(bytes).error());
    if (!*bytes) return false;
    heard_ = source::steady_now();
    if (auto taken = take(**bytes); !taken) return std::unexpected(std::move(taken).error());
  }
  return true;
}

result<void> change_capture::log_reader::take(std::string_view bytes) {
  auto what = postgres::parse_frame(bytes);
  if (!what) return std::unexpected(std::move(what).error());
  received_ = std::max(received_, what->at);
  reply_ = reply_ || what->wants_reply;
  if (what->message.empty()) {
    if (!collector_->in_transaction()) idle_ = std::max(idle_, what->at);
    return {};
  }
  auto commit = collector_->take(what->message);
  if (!commit) return std::unexpected(std::move(commit).error());
  if (!*commit) return {};
  received_ = std::max(received_, (*commit)->end);
  pending_steps_ += (*commit)->steps.size() + 1;
  if (unconfirmed_.size() < most_unconfirmed) unconfirmed_.push_back({(*commit)->end, heard_});
  pending_.push_back(**std::move(commit));
  return {};
}

result<void> change_capture::log_reader::look() {
  auto here = server_->look();
  if (!here) return std::unexpected(std::move(here).error());
  const std::size_t before = pending_.size();
  settle(here->seen);
  pause_ = pending_.size() != before ? shortest_pause : std::min(2 * pause_, longest_pause);
  confirm();
  const std::uint64_t behind = here->end > confirmed_ ? here->end - confirmed_ : 0;
  {
    const std::lock_guard lock{figures_};
    lag_.bytes = behind;
  }
  if (behind <= how_.max_lag_bytes) return {};
  anew_ = true;
  return sql::fail(sql::errc::full, fmt::format("{} bytes behind, more than max_lag_bytes ({}): all mapped caches are "
                                                "to be cleared", behind, how_.max_lag_bytes));
}

void change_capture::log_reader::settle(const postgres::snapshot& seen) {
  while (!pending_.empty() && seen.sees(pending_.front().xid)) {
    auto& commit = pending_.front();
    pending_steps_ -= commit.steps.size() + 1;
    apply(commit);
    settled_ = std::max(settled_, commit.end);
    pending_.pop_front();
  }
}

void change_capture::log_reader::confirm() {
  const lsn reached = pending_.empty() ? std::max(settled_, idle_) : settled_;
  if (reached > confirmed_ && delivered()) confirmed_ = reached;
  while (!unconfirmed_.empty() && unconfirmed_.front().end <= confirmed_) unconfirmed_.pop_front();
  const std::lock_guard lock{figures_};
  stats_.seen = received_;
  stats_.confirmed = confirmed_;
  oldest_ = unconfirmed_.empty() ? never : unconfirmed_.front().received;
}

result<void> change_capture::log_reader::report(bool wants_reply) {
  auto sent = link_->send(postgres::status_update(received_, confirmed_, wants_reply));
  if (!sent) return std::unexpected(std::move(sent).error());
  if (!*sent) return {};
  reply_ = false;
  next_status_ = after(source::steady_now(), how_.status_every);
  return {};
}

}  // namespace seawall
