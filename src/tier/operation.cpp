#include "operation.hpp"

#include "news.hpp"
#include "seawall/cmd/error.hpp"

#include <algorithm>

namespace seawall::tier {

void step::set(operation& of, cmd::any_command&& what) {
  of_ = &of;
  what_ = std::move(what);
  with_source_ = nullptr;
  bytes = what_.encoded().bytes();
  traits = what_.about();
}

void step::get_ready(duration longest, bool waits) {
  if (std::exchange(ended_, false)) renew();
  timeout = longest;
  caller_waits = waits;
  failure_.reset();
  number_.reset();
  done_ = false;
}

void step::use_source() {
  with_source_ = std::make_unique<resp::command_bytes>(what_.with_source());
  bytes = with_source_->bytes();
}

void step::on_reply(std::size_t, resp::view reply) noexcept {
  misses_script_ = false;
  if (quiet_) return;
  if (reply.is_error()) {
    failure_ = cmd::to_error(reply.text());
    misses_script_ = what_.has_source() && !with_source_ &&
                     failure_->code() == cmd::make_error_code(cmd::errc::no_script);
    return;
  }
  done_ = !reply.is_null();
  number_ = reply.integer();
  of_->replied(*this, reply);
}

void step::on_end(const error* failure) noexcept {
  ended_ = true;
  if (failure) failure_ = *failure;
  of_->step_ended();
}

void operation::send_over(cmd::target& where, std::span<step* const> steps, bool caller_waits, time_point now) {
  const duration left = std::max<duration>(deadline_ - now, std::chrono::milliseconds{1});
  for (step* one : steps) {
    one->get_ready(left, caller_waits);
    one->unhurried = unhurried_;
  }
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) steps[i]->next = steps[i + 1];
  step* const news = news_of(steps);
  if (news) {
    news->get_ready(left, false);
    steps.back()->next = news;
  }
  left_.store(steps.size() + (news ? 1 : 0), std::memory_order_relaxed);
  if (core_->closed()) {
    const error why{errc::closed, "the shared tier is closed"};
    for (step* one : steps) one->failure_ = why;
    return round_ended();
  }
  if (steps.size() == 1 && !news) where.submit(*steps.front());
  else where.submit_all(*steps.front());
}

bool operation::send_sources(std::span<step* const> steps) {
  const auto first = std::ranges::find_if(steps, &step::misses_script);
  if (first == steps.end() || core_->now() >= deadline_) return false;
  const auto again = steps.subspan(static_cast<std::size_t>(first - steps.begin()));
  for (step* one : again) {
    if (std::exchange(one->misses_script_, false)) one->use_source();
  }
  send(again);
  return true;
}

step* operation::news_of(std::span<step* const> steps) {
  if (core_->options().feed != feed_mode::pub_sub) return nullptr;
  std::vector<std::string_view> keys;
  for (const step* one : steps) add_changed_keys(one->what_, keys);
  if (keys.empty()) return nullptr;
  if (!news_) news_ = std::make_unique<step>();
  news_->quiet_ = true;
  news_->set(*this, publish_command(*core_, keys));
  return news_.get();
}

void operation::step_ended() {
  if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) round_ended();
}

}  // namespace seawall::tier
