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
  // Before they leave the queue: who does not find them there must not find anything older in a cache.
  if (done) calls_.tell(batch);
  lock.lock();
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
    if (dead) bury(lock, dead, done.error());
  }
  const bool had_news = has_news();
  told_ = queue_->window().settled_through();
  if (has_news() && !had_news) committer_.notify_one();
  space_.notify_all();
  settled_.notify_all();
}

void engine_core::bury(locked& lock, const operation_ptr& operation, const error& reason) {
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
  if (kept) calls_.tell({&operation, 1});
  lock.lock();
  if (!kept) return queue_->keep(operation, steady_now());
  queue_->bury(operation);
  ++stats_.buried;
}

// Groups that come after the call do not hold it up.
std::function<std::size_t()> engine_core::accepted_by_now() const {
  return [this, last = next_] {
    return queue_->window().unsettled(last) + (queued_ < last ? on_the_way_.count : 0);
  };
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
