// The thread that gives batches to the source, and those who wait for it.
#include "steady_now.hpp"
#include "write_engine_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace seawall::source {

void engine_core::drain_loop() {
  locked lock{mutex_};
  while (!drainer_stops_) {
    const auto batch = queue_->take(steady_now(), is_hurried());
    if (!batch.empty()) {
      drain(lock, batch);
      continue;
    }
    drainer_wakes_ = false;
    drainer_sleeps_until_ = within_hour(queue_->next_due(is_hurried()));
    drainer_.wait_until(lock, drainer_sleeps_until_, [&] { return drainer_stops_ || drainer_wakes_; });
    drainer_sleeps_until_ = time_point{};
  }
}

void engine_core::drain(locked& lock, const std::vector<operation_ptr>& batch) {
  lock.unlock();
  const auto done = calls_.write(batch);
  const bool refused = !done && calls_.is_refusal(done.error());
  lock.lock();
  bool settled = done.has_value();
  if (done) {
    queue_->succeeded();
    failures_ = 0;
    ++stats_.batches;
    stats_.applied += batch.size();
  } else {
    ++stats_.failed_batches;
    const bool first = failures_++ == 0;
    const auto dead = queue_->failed(steady_now(), refused);
    if (first && !dead) {
      lock.unlock();
      calls_.say(log_level::warning, "a batch failed and is tried again: " + done.error().message());
      lock.lock();
    }
    if (dead) settled = bury(lock, dead, done.error());
  }
  if (settled) {
    // After they have left the queue: a load that begins now must see what the source has. And before the log forgets
    // them: what a crash leaves untold, the next opening tells.
    telling_ = true;
    lock.unlock();
    calls_.tell(batch);
    lock.lock();
    telling_ = false;
  }
  const bool had_news = has_news();
  told_ = queue_->window().settled_through();
  if (has_news() && !had_news) committer_.notify_one();
  space_.notify_all();
  settled_.notify_all();
}

bool engine_core::bury(locked& lock, const operation_ptr& operation, const error& reason) {
  const unsigned attempts = queue_->attempts(operation);
  lock.unlock();
  result<void> kept{};
  {
    const std::lock_guard letters{letters_mutex_};
    if (letters_->size() >= how_.most_dead_letters) {
      kept = fail(errc::overloaded, fmt::format("{} dead letters, no more are kept", letters_->size()));
    } else {
      kept = letters_->add({.operation = operation,
                            .reason = reason.message(),
                            .attempts = attempts,
                            .at = std::chrono::system_clock::now()});
    }
  }
  calls_.say(
      log_level::error,
      kept ? fmt::format("operation {} became a dead letter: {}", operation->sequence, reason.message())
           : "a dead letter cannot be kept: " + kept.error().message());
  lock.lock();
  if (!kept) {
    queue_->keep(operation, steady_now());
    return false;
  }
  queue_->bury(operation);
  ++stats_.buried;
  return true;
}

result<void> engine_core::flush(duration limit, const flush_progress& progress) {
  const time_point until = after(steady_now(), limit);
  locked lock{mutex_};
  const std::uint64_t target = next_;
  // Groups that come after the call do not hold it up.
  const auto left = [&] { return queue_->window().unsettled(target) + (queued_ < target ? on_the_way_.count : 0); };
  const std::size_t all = left();
  std::size_t seen = all;
  ++flushes_;
  wake_drainer();
  while ((left() != 0 || telling_) && !drainer_stops_ && steady_now() < until) {
    settled_.wait_until(lock, within_hour(until));
    const std::size_t remaining = left();
    if (progress && remaining < seen) {
      seen = remaining;
      lock.unlock();
      progress(all - remaining, all);
      lock.lock();
    }
  }
  --flushes_;
  const std::size_t remaining = left();
  if (remaining == 0) return {};
  return fail(errc::timed_out, fmt::format("{} operations of the write-behind '{}' are still to be applied", remaining,
                                           how_.name));
}

result<void> engine_core::close_with(const error& unfinished) {
  if (!is_logged()) return fail(errc::timed_out, unfinished.message() + ", and lost, since nothing else has them");
  if (sync_failure_) return std::unexpected(*std::move(sync_failure_));
  return {};
}

void engine_core::stop_others() {
  committer_.notify_all();
  if (commit_thread_.joinable()) commit_thread_.join();
  log_.reset();  // another may have the directory
}

std::vector<stored_letter> engine_core::letters() const {
  const std::lock_guard lock{letters_mutex_};
  return letters_->list();
}

result<void> engine_core::replay(std::uint64_t sequence) {
  operation_ptr operation;
  {
    const std::lock_guard lock{letters_mutex_};
    const stored_letter* letter = letters_->find(sequence);
    if (letter == nullptr) return fail(errc::invalid_argument, fmt::format("no dead letter has sequence {}", sequence));
    operation = letter->operation;
  }
  if (auto done = write_again(operation); !done) return done;
  return discard(sequence);
}

result<void> engine_core::discard(std::uint64_t sequence) {
  const std::lock_guard lock{letters_mutex_};
  return letters_->remove(sequence);
}

}  // namespace seawall::source
