#include "stream_engine.hpp"

#include "steady_now.hpp"

#include "seawall/base/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

namespace seawall::source {

void stream_group::finish(std::vector<result<accepted_write>> outcomes) {
  {
    const std::lock_guard lock{mutex_};
    outcomes_ = std::move(outcomes);
    done_ = true;
  }
  finished_.notify_all();
}

std::optional<result<accepted_write>> stream_group::wait_until(time_point until, std::size_t place) {
  std::unique_lock lock{mutex_};
  if (finished_.wait_until(lock, within_hour(until), [&] { return done_; })) return outcomes_[place];
  left_.push_back(place);
  return {};
}

std::vector<operation_ptr> stream_group::left() const {
  std::vector<operation_ptr> operations;
  for (const std::size_t place : left_) {
    if (outcomes_[place]) operations.push_back(outcomes_[place]->operation);
  }
  return operations;
}

result<std::shared_ptr<write_engine>> open_stream_engine(engine_options how, engine_hooks hooks) {
  auto engine = std::make_shared<stream_engine>(std::move(how), std::move(hooks));
  if (auto opened = engine->open(); !opened) return std::unexpected(std::move(opened).error());
  return engine;
}

stream_engine::stream_engine(engine_options how, engine_hooks hooks)
    : engine_base(std::move(how), std::move(hooks)),
      stream_(how_.redis, how_.acknowledged == acknowledged::redis_replicated,
              fmt::format("{:016x}{:016x}", entropy_seed(), entropy_seed())),
      own_(how_.redis.partitions),
      leases_(how_.redis.partitions),
      news_(how_.redis.partitions),
      drains_(how_.redis.partitions) {}

stream_engine::~stream_engine() { (void)close({}); }

result<void> stream_engine::open() {
  const std::lock_guard one{closing_};
  try {
    commit_thread_ = std::thread{[this] { commit_loop(); }};
    keep_thread_ = std::thread{[this] { keep_loop(); }};
    drain_thread_ = std::thread{[this] { drain_loop(); }};
  } catch (const std::system_error& thrown) {
    stop();
    return std::unexpected(error{thrown.code(), fmt::format("write-behind '{}': no thread for it", how_.name)});
  }
  return {};
}

result<write_receipt> stream_engine::submit(bool removed, std::string key, std::string value, duration limit) {
  const std::size_t bytes = key.size() + value.size();
  if (auto fits = check_size(bytes); !fits) return std::unexpected(std::move(fits).error());
  const time_point until = after(steady_now(), limit);
  locked lock{mutex_};
  const auto through = admit(lock, bytes, until);
  if (!through) return std::unexpected(through.error());
  if (staged_.empty()) {
    staged_group_ = std::make_shared<stream_group>();
    committer_.notify_one();
  }
  const std::size_t place = staged_.size();
  const auto group = staged_group_;
  staged_.push_back({.removed = removed, .key = std::move(key), .value = std::move(value)});
  ++on_the_way_.count;
  on_the_way_.bytes += bytes;
  lock.unlock();
  auto outcome = group->wait_until(until, place);
  if (!outcome) {
    return fail(errc::timed_out, fmt::format("the stream '{}' did not take a write in time; it may take it yet",
                                             how_.redis.stream));
  }
  if (!*outcome) return std::unexpected(std::move(*outcome).error());
  const accepted_write& write = **outcome;
  if (*through) {
    lock.lock();
    if (auto done = wait_applied(lock, write, until); !done) return std::unexpected(std::move(done).error());
  }
  return write_receipt{.sequence = write.operation->sequence, .applied = *through};
}

result<void> stream_engine::wait_applied(locked& lock, const accepted_write& write, time_point until) {
  const unsigned partition = stream_.partition_of(write.operation->key);
  const auto done = [&] { return !own_.has(partition, write.id); };
  if (auto in_time = wait_for_source(lock, done, until); !in_time) return in_time;
  const auto dead = stream_.letter(write.operation->sequence);
  if (dead && *dead) return fail(errc::loader_failed, "the write became a dead letter: " + (*dead)->reason);
  return {};
}

operation_ptr stream_engine::pending(std::string_view key) const {
  const locked lock{mutex_};
  return own_.pending(key);
}

void stream_engine::commit_loop() {
  locked lock{mutex_};
  for (;;) {
    committer_.wait(lock, [&] { return !staged_.empty() || others_stop_; });
    if (staged_.empty()) return;
    commit_staged(lock);
  }
}

void stream_engine::commit_staged(locked& lock) {
  auto writes = std::exchange(staged_, {});
  const auto group = std::exchange(staged_group_, nullptr);
  appending_ = true;
  lock.unlock();
  auto ids = stream_.append(writes);
  lock.lock();
  const time_point now = steady_now();
  std::vector<result<accepted_write>> outcomes;
  outcomes.reserve(writes.size());
  on_the_way_.count -= writes.size();
  std::optional<error> failure;
  bool others_drain = false;
  for (std::size_t i = 0; i != writes.size(); ++i) {
    staged_write& write = writes[i];
    on_the_way_.bytes -= write.key.size() + write.value.size();
    if (!ids[i]) {
      ++stats_.refused;
      failure = ids[i].error();
      outcomes.push_back(std::unexpected(std::move(ids[i]).error()));
      continue;
    }
    const unsigned partition = stream_.partition_of(write.key);
    operation_ptr operation = std::make_shared<stored_operation>(stored_operation{.sequence = sequence_of(*ids[i]),
                                                                                  .removed = write.removed,
                                                                                  .key = std::move(write.key),
                                                                                  .value = std::move(write.value)});
    if (!early_.contains({partition, *ids[i]})) own_.add(partition, *ids[i], operation, now);
    ++stats_.accepted;
    news_[partition] = true;
    others_drain = others_drain || (own_.size(partition) == 1 && !holds(partition, now));
    outcomes.push_back(accepted_write{*ids[i], std::move(operation)});
  }
  ++stats_.commits;
  appending_ = false;
  early_.clear();
  wake_drainer();
  if (others_drain) {
    keeper_wakes_ = true;
    keeper_.notify_one();
  }
  lock.unlock();
  if (failure) {
    calls_.say(log_level::error, failure->message());
    space_.notify_all();
  }
  group->finish(std::move(outcomes));
  calls_.tell(group->left());  // a load may have come between the end of the call and the acceptance
  lock.lock();
}

std::function<std::size_t()> stream_engine::accepted_by_now() const {
  return [this, last = own_.last()] { return own_.up_to(last); };
}

void stream_engine::stop_others() {
  committer_.notify_all();
  keeper_.notify_all();
  if (commit_thread_.joinable()) commit_thread_.join();
  if (keep_thread_.joinable()) keep_thread_.join();
}

write_behind_stats stream_engine::stats() const {
  const locked lock{mutex_};
  write_behind_stats copy = stats_;
  const time_point now = steady_now();
  const load all = held();
  copy.backlog = all.count;
  copy.backlog_bytes = all.bytes;
  const time_point oldest = own_.oldest();
  if (oldest != never) copy.lag = std::max(duration{}, now - oldest);
  for (unsigned i = 0; i != stream_.partitions(); ++i) copy.drained_partitions += holds(i, now) ? 1 : 0;
  return copy;
}

std::vector<stored_letter> stream_engine::letters() const {
  auto found = stream_.letters();
  if (found) return *std::move(found);
  calls_.say(log_level::error, "the dead letters cannot be read: " + found.error().message());
  return {};
}

result<void> stream_engine::replay(std::uint64_t sequence) {
  const auto letter = stream_.letter(sequence);
  if (!letter) return std::unexpected(letter.error());
  if (!*letter) return fail(errc::invalid_argument, fmt::format("no dead letter has sequence {}", sequence));
  if (auto done = write_again((*letter)->operation); !done) return done;
  return discard(sequence);
}

result<void> stream_engine::discard(std::uint64_t sequence) {
  if (auto done = stream_.discard(sequence); !done) return done;
  note_letters();
  return {};
}

}  // namespace seawall::source
