#include "engine_base.hpp"

#include "steady_now.hpp"

#include <fmt/format.h>

namespace seawall::source {

result<void> engine_base::check_size(std::size_t bytes) const {
  if (bytes <= how_.most_operation_bytes) return {};
  return fail(errc::invalid_argument, fmt::format("a write of {} bytes to '{}', at most {} (most_operation_bytes)",
                                                  bytes, how_.name, how_.most_operation_bytes));
}

engine_base::load engine_base::held() const {
  const load all = kept();
  return {.count = all.count + on_the_way_.count, .bytes = all.bytes + on_the_way_.bytes};
}

bool engine_base::has_room(std::size_t bytes) const {
  const load all = held();
  return all.count == 0 || (all.count < how_.most_backlog && all.bytes + bytes <= how_.most_backlog_bytes);
}

result<bool> engine_base::admit(locked& lock, std::size_t bytes, time_point until) {
  if (!closed_ && has_room(bytes)) return false;
  if (!closed_ && how_.when_full == when_full::write_through) return true;
  ++waiting_;
  wake_drainer();
  space_.wait_until(lock, within_hour(until), [&] { return closed_ || has_room(bytes); });
  --waiting_;
  if (!closed_ && has_room(bytes) && steady_now() < until) return false;
  ++stats_.refused;
  if (closed_) return fail(errc::closed, fmt::format("the write-behind '{}' is closed", how_.name));
  const load all = held();
  return fail(errc::overloaded, fmt::format("the backlog of the write-behind '{}' is full: {} operations, {} bytes",
                                            how_.name, all.count, all.bytes));
}

void engine_base::wake_drainer() {
  drainer_wakes_ = true;
  drainer_.notify_one();
}

result<void> engine_base::wait_for_source(locked& lock, const std::function<bool()>& done, time_point until) {
  ++waiting_;
  wake_drainer();
  settled_.wait_until(lock, within_hour(until), [&] { return done() || drainer_stops_; });
  const bool in_time = done();
  --waiting_;
  lock.unlock();
  if (in_time) return {};
  return fail(errc::timed_out,
              fmt::format("the source of '{}' did not take a write in time; it is kept, and tried again", how_.name));
}

result<void> engine_base::write_again(const operation_ptr& operation) {
  const operation_ptr later = pending(operation->key);
  if (later && later->sequence >= operation->sequence) return {};
  auto done = calls_.write({&operation, 1});
  if (done) calls_.tell({&operation, 1});
  return done;
}

result<void> engine_base::flush(duration limit, const flush_progress& progress) {
  const time_point until = after(steady_now(), limit);
  locked lock{mutex_};
  const auto remaining = accepted_by_now();
  const std::size_t all = remaining();
  std::size_t left = all;
  ++flushes_;
  wake_drainer();
  while (left != 0 && !drainer_stops_ && steady_now() < until) {
    settled_.wait_until(lock, within_hour(until));
    const std::size_t now = remaining();
    if (progress && now < left) {
      lock.unlock();
      progress(all - now, all);
      lock.lock();
    }
    left = now;
  }
  --flushes_;
  left = remaining();
  if (left == 0) return {};
  return fail(errc::timed_out,
              fmt::format("{} operations of the write-behind '{}' are still to be applied", left, how_.name));
}

result<void> engine_base::close(duration limit) {
  const std::lock_guard one{closing_};
  if (!drain_thread_.joinable()) return {};
  {
    const locked lock{mutex_};
    closed_ = true;
  }
  space_.notify_all();
  const auto flushed = flush(limit, nullptr);
  stop();
  return flushed ? flushed : close_with(flushed.error());
}

void engine_base::stop() {
  {
    const locked lock{mutex_};
    drainer_stops_ = true;
    drainer_.notify_all();
    settled_.notify_all();
  }
  if (drain_thread_.joinable()) drain_thread_.join();
  {
    const locked lock{mutex_};
    others_stop_ = true;
  }
  stop_others();
}

}  // namespace seawall::source
