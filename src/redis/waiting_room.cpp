#include "waiting_room.hpp"

#include "connection.hpp"

#include <algorithm>
#include <utility>

namespace seawall::redis {

waiting_room::waiting_room(services& with, ender& ends, std::function<void(request&)> again,
                           std::function<error(request&)> why)
    : services_(with), ends_(ends), again_(std::move(again)), why_(std::move(why)),
      timer_(std::make_shared<boost::asio::steady_timer>(with.executor)) {}

void waiting_room::park(request& asked, time_point due) {
  asked.book.where = static_cast<holder*>(this);
  parked_.push_back({&asked, due});
  if (std::min(due, asked.book.deadline) < armed_) arm();
}

bool waiting_room::forget(request& asked) {
  std::erase_if(parked_, [&](const place& p) { return p.who == &asked; });
  return false;
}

void waiting_room::release_all() {
  for (const place& p : std::exchange(parked_, {})) again_(*p.who);
}

void waiting_room::fail_all(const error& why) {
  for (const place& p : std::exchange(parked_, {})) ends_.end(*p.who, &why);
}

void waiting_room::arm() {
  time_point next = never;
  for (const place& p : parked_) next = std::min({next, p.due, p.who->book.deadline});
  if (next >= armed_) return;
  armed_ = next;
  timer_->expires_at(next);
  timer_->async_wait([this, alive = alive_, held = timer_](boost::system::error_code stopped) {
    if (*alive && !stopped) on_timer();
  });
}

void waiting_room::on_timer() {
  armed_ = never;
  const time_point now = services_.clock->now();
  std::vector<place> here = std::exchange(parked_, {});
  for (const place& p : here) {
    if (p.who->book.deadline <= now) {
      services_.counters.timeouts.add();
      const error why = why_(*p.who);
      ends_.end(*p.who, &why);
    } else if (p.due <= now) {
      again_(*p.who);
    } else {
      parked_.push_back(p);
    }
  }
  services_.flush_dirty();
  arm();
}

}  // namespace seawall::redis
