#include "steady_now.hpp"
#include "stream_engine.hpp"
#include "write_engine_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

namespace seawall::source {
namespace {

// A log that is new, or has lost its end, does not know which sequences the source has seen. The time does, for up to a
// million a second.
std::uint64_t sequence_of_time() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

}  // namespace

void commit_group::finish(std::optional<error> failure) {
  failure_ = std::move(failure);
  const std::lock_guard lock{leaving_};
  finished_.happen();
}

bool commit_group::wait_until(time_point until, const operation_ptr& operation) {
  if (finished_.wait_until(until)) return true;
  const std::lock_guard lock{leaving_};
  if (finished_.has_happened()) return true;
  left_.push_back(operation);
  return false;
}

result<std::shared_ptr<write_engine>> open_write_engine(engine_options how, engine_hooks hooks,
                                                        std::shared_ptr<file_layer> files) {
  if (auto valid = validate(how); !valid) return std::unexpected(std::move(valid).error());
  if (is_shared(how.acknowledged)) return open_stream_engine(std::move(how), std::move(hooks));
  auto engine = std::make_shared<engine_core>(std::move(how), std::move(hooks));
  if (auto opened = engine->open(files ? std::move(files) : make_posix_files()); !opened) {
    return std::unexpected(std::move(opened).error());
  }
  return engine;
}

engine_core::engine_core(engine_options how, engine_hooks hooks) : engine_base(std::move(how), std::move(hooks)) {}

engine_core::~engine_core() { (void)close({}); }

result<void> engine_core::open(std::shared_ptr<file_layer> files) {
  std::vector<operation_ptr> recovered;
  if (is_logged()) {
    auto log = local_log::open(files, how_.name, how_.log, [&](const log_record& record) {
      recovered.push_back(
          std::make_shared<stored_operation>(stored_operation{.sequence = record.sequence,
                                                              .removed = record.kind == record_kind::remove,
                                                              .key = std::string{record.key},
                                                              .value = std::string{record.value}}));
    }, sequence_of_time());
    if (!log) return std::unexpected(std::move(log).error());
    log_ = *std::move(log);
  }
  auto letters = dead_letters::open(std::move(files), is_logged() ? how_.log.directory : std::string{},
                                    log_ ? log_->recovery().applied : 0);
  if (!letters) return std::unexpected(std::move(letters).error());
  letters_ = *std::move(letters);

  locked lock{mutex_};
  next_ = queued_ = log_ ? log_->recovery().last : sequence_of_time();
  durable_ = log_ ? log_->durable() : 0;
  queue_.emplace(how_.batch, how_.retry, log_ ? log_->recovery().applied : next_, entropy_seed());
  const time_point start = steady_now();
  const auto buried = letters_->last_of_keys();
  for (const operation_ptr& operation : recovered) {
    // The process ended after it had become a dead letter, and before the log said that it is done.
    const auto last = buried.find(operation->key);
    if (last != buried.end() && operation->sequence <= last->second) continue;
    queue_->add(operation, start);
  }
  queue_->pass(next_);
  told_ = queue_->window().settled_through();
  if (log_) {
    const log_recovery& found = log_->recovery();
    checkpointed_ = found.applied;
    stats_.recovered = found.records;
    stats_.torn_bytes = found.torn_bytes;
    stats_.lost_records = found.lost_records;
    note_log();
    lock.unlock();
    if (found.torn_bytes != 0 || found.lost_records != 0) {
      calls_.say(
          log_level::warning,
          fmt::format("the log in '{}' ended in {} bytes of unfinished writes; a repair left out {} operations",
                      how_.log.directory, found.torn_bytes, found.lost_records));
    }
  } else {
    lock.unlock();
  }
  calls_.tell(recovered);  // other tiers may have what the source had before them
  try {
    if (log_) commit_thread_ = std::thread{[this] { commit_loop(); }};
    drain_thread_ = std::thread{[this] { drain_loop(); }};
  } catch (const std::system_error& thrown) {
    stop();
    return std::unexpected(error{thrown.code(), fmt::format("write-behind '{}': no thread for it", how_.name)});
  }
  return {};
}

result<write_receipt> engine_core::submit(bool removed, std::string key, std::string value, duration limit) {
  const std::size_t bytes = key.size() + value.size();
  if (auto fits = check_size(bytes); !fits) return std::unexpected(std::move(fits).error());
  std::string record;
  if (is_logged()) append_unfinished(record, removed ? record_kind::remove : record_kind::put, key, value);
  auto operation = std::make_shared<stored_operation>(
      stored_operation{.removed = removed, .key = std::move(key), .value = std::move(value)});
  const time_point until = after(steady_now(), limit);

  locked lock{mutex_};
  const auto through = admit(lock, bytes, until);
  if (!through) return std::unexpected(through.error());
  operation->sequence = ++next_;
  if (is_logged()) {
    finish_record(record, 0, operation->sequence, durable_);
    if (staged_.empty()) {
      staged_group_ = std::make_shared<commit_group>();
      committer_.notify_one();
    }
    staged_records_ += record;
    staged_.push_back(operation);
    ++on_the_way_.count;
    on_the_way_.bytes += bytes;
    const auto group = staged_group_;
    lock.unlock();
    if (!group->wait_until(until, operation)) {
      return fail(errc::timed_out, fmt::format("the log in '{}' did not take a write in time; it may take it yet",
                                               how_.log.directory));
    }
    if (group->failure()) return std::unexpected(*group->failure());
    if (*through) lock.lock();
  } else {
    enqueue(operation, steady_now());
  }
  if (*through) {
    if (auto done = wait_applied(lock, *operation, until); !done) return std::unexpected(std::move(done).error());
  }
  return write_receipt{.sequence = operation->sequence, .applied = *through};
}

result<void> engine_core::wait_applied(locked& lock, const stored_operation& operation, time_point until) {
  const auto done = [&] { return queue_->is_done(operation.key, operation.sequence); };
  if (auto in_time = wait_for_source(lock, done, until); !in_time) return in_time;
  const std::lock_guard letters{letters_mutex_};
  const stored_letter* dead = letters_->find(operation.sequence);
  if (dead != nullptr) return fail(errc::loader_failed, "the write became a dead letter: " + dead->reason);
  return {};
}

void engine_core::enqueue(operation_ptr operation, time_point moment) {
  queued_ = operation->sequence;
  const std::uint64_t replaced = queue_->coalesced();
  queue_->add(std::move(operation), moment);
  if (waiting_ != 0 && queue_->coalesced() != replaced) space_.notify_all();  // less waits than was admitted
  ++stats_.accepted;
  if (!drainer_wakes_ && queue_->next_due(is_hurried()) < drainer_sleeps_until_) wake_drainer();
}

operation_ptr engine_core::pending(std::string_view key) const {
  const locked lock{mutex_};
  return queue_->pending(key);
}

write_behind_stats engine_core::stats() const {
  locked lock{mutex_};
  write_behind_stats copy = stats_;
  copy.coalesced = queue_->coalesced();
  const load all = held();
  copy.backlog = all.count;
  copy.backlog_bytes = all.bytes;
  const time_point oldest = queue_->window().oldest();
  if (oldest != never) copy.lag = std::max(duration{}, steady_now() - oldest);
  lock.unlock();
  const std::lock_guard letters{letters_mutex_};
  copy.dead_letters = letters_->size();
  return copy;
}

}  // namespace seawall::source
