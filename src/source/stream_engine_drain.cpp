// The thread that reads the streams of the partitions whose leases are held, and gives batches to the source.
#include "steady_now.hpp"
#include "stream_engine.hpp"

#include "seawall/base/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace seawall::source {
namespace {

using namespace std::chrono_literals;

// Of batches that are read ahead, so that writes of a key meet.
constexpr std::size_t batches_ahead = 4;
constexpr std::size_t settled_at_once = 5000;

}  // namespace

void stream_engine::drain_loop() {
  locked lock{mutex_};
  while (!drainer_stops_) {
    drainer_wakes_ = false;
    lock.unlock();
    time_point due = never;
    for (unsigned i = 0; i != stream_.partitions(); ++i) due = std::min(due, drain(i));
    lock.lock();
    const time_point until = within_hour(due);
    drainer_.wait_until(lock, until, [&] { return drainer_stops_ || drainer_wakes_; });
  }
  lock.unlock();
  for (unsigned i = 0; i != stream_.partitions(); ++i) {
    if (!drains_[i].done.empty()) (void)settle(i);  // or else they are applied again
  }
}

// One round of a partition. When the next one is due.
time_point stream_engine::drain(unsigned partition) {
  if (!has_lease(partition)) return never;
  stream_drain& at = drains_[partition];
  bool hurried = false;
  bool news = false;
  {
    const locked lock{mutex_};
    if (drainer_stops_) return never;
    hurried = flushes_ + waiting_ != 0;
    news = news_[partition];
  }
  if (!at.done.empty() && at.next_settle <= steady_now() && !settle(partition)) return time_point{};
  if (!read_more(partition, hurried, news)) return time_point{};
  const auto batch = at.queue->take(steady_now(), hurried);
  if (!batch.empty()) {
    if (has_lease(partition)) apply(partition, batch);
    return time_point{};
  }
  time_point due = std::min(at.next_read, at.queue->next_due(hurried));
  if (!at.done.empty()) due = std::min(due, at.next_settle);
  return due;
}

// Begins anew with a lease that is new.
bool stream_engine::has_lease(unsigned partition) {
  stream_drain& at = drains_[partition];
  const locked lock{mutex_};
  if (!holds(partition, steady_now())) {
    at = stream_drain{};
    return false;
  }
  const stream_lease& lease = leases_[partition].lease;
  if (at.lease.text == lease.text) return true;
  at = stream_drain{};
  at.lease = lease;
  at.queue = std::make_unique<write_queue>(how_.batch, how_.retry, 0, entropy_seed());
  return true;
}

// False: the lease is gone, or nothing is known of it.
bool stream_engine::read_more(unsigned partition, bool hurried, bool news) {
  stream_drain& at = drains_[partition];
  const time_point now = steady_now();
  // Writers come one after another; a read for each would leave the server nothing else to do.
  const duration gather = hurried ? duration{} : std::min(how_.batch.linger, how_.redis.poll);
  if (news) at.next_read = std::min(at.next_read, after(at.last_read, gather));
  const write_queue& queue = *at.queue;
  const bool enough = queue.size() >= batches_ahead * how_.batch.most && queue.next_due(hurried) <= now;
  if (enough || queue.size() >= how_.most_backlog || queue.bytes() >= how_.most_backlog_bytes) {
    at.next_read = after(now, how_.redis.poll);
    return true;
  }
  if (now < at.next_read) return true;
  {
    const locked lock{mutex_};
    news_[partition] = false;
  }
  const auto behind = at.history ? std::optional{at.seen} : std::nullopt;
  const std::size_t asked = std::min(at.page, how_.batch.most);
  auto found = stream_.read(partition, at.lease, behind, asked);
  at.last_read = steady_now();
  if (!found) {
    // It may have given what did not arrive, or more than may arrive at once.
    at.history = true;
    at.page = std::max<std::size_t>(1, at.page / 2);
    at.next_read = after(at.last_read, std::max<duration>(how_.redis.poll, 50ms));
    if (found.error().code() != make_error_code(cmd::errc::no_group)) return true;
    lose(partition, true);  // the next lease makes the stream again
    return false;
  }
  if (!*found) {
    lose(partition, false);
    return false;
  }
  const std::size_t count = (*found)->size();
  const bool history = at.history;
  at.history = history && count != 0;
  at.next_read = history || count >= asked ? at.last_read : after(at.last_read, how_.redis.poll);
  take_in(at, *std::move(*found));
  return true;
}

void stream_engine::take_in(stream_drain& at, std::vector<stream_record> records) {
  std::size_t bytes = 0;
  std::size_t lost = 0;
  std::size_t known = 0;
  for (stream_record& record : records) {
    if (record.id <= at.seen) continue;
    at.seen = record.id;
    if (!record.operation) {
      at.done.push_back(record.id);
      ++lost;
      continue;
    }
    if (record.operation->sequence <= at.last) {  // the server's clock stood still for a million writes
      auto later = std::make_shared<stored_operation>(*record.operation);
      later->sequence = at.last + 1;
      record.operation = std::move(later);
    }
    at.last = record.operation->sequence;
    ++known;
    bytes += record.operation->bytes();
    at.unsettled[record.operation->key].push_back(record.id);
    at.queue->add(std::move(record.operation), at.last_read);
  }
  if (bytes > how_.batch.most_bytes) at.page = std::max<std::size_t>(1, at.page / 2);
  else if (2 * bytes <= how_.batch.most_bytes) at.page = std::min(how_.batch.most, 2 * at.page);
  const locked lock{mutex_};
  stats_.lost_records += lost;
  if (at.history) stats_.recovered += known;
}

void stream_engine::apply(unsigned partition, const std::vector<operation_ptr>& batch) {
  stream_drain& at = drains_[partition];
  const auto done = calls_.write(batch);
  if (done) {
    std::vector<stream_id> ids;
    for (const operation_ptr& operation : batch) {
      for (const stream_id& id : ids_of(at, *operation)) ids.push_back(id);
    }
    at.queue->succeeded();
    failures_ = 0;
    at.done.insert(at.done.end(), ids.begin(), ids.end());
    {
      const locked lock{mutex_};
      ++stats_.batches;
      stats_.applied += batch.size();
      stats_.coalesced += ids.size() - batch.size();
    }
    note_settled(partition, ids, batch);
    return;
  }
  const bool refused = calls_.is_refusal(done.error());
  const bool first = failures_++ == 0;
  {
    const locked lock{mutex_};
    ++stats_.failed_batches;
  }
  const operation_ptr dead = at.queue->failed(steady_now(), refused);
  if (dead) {
    bury(partition, dead, done.error());
  } else if (first) {
    calls_.say(log_level::warning, "a batch failed and is tried again: " + done.error().message());
  }
}

bool stream_engine::bury(unsigned partition, const operation_ptr& operation, const error& reason) {
  stream_drain& at = drains_[partition];
  std::vector<stream_id> ids;
  for (const stream_id& id : at.unsettled[operation->key]) {
    if (sequence_of(id) <= operation->sequence) ids.push_back(id);
  }
  const auto kept = stream_.bury(partition, at.lease.text, ids,
                                 {.operation = operation,
                                  .reason = reason.message(),
                                  .attempts = at.queue->attempts(operation),
                                  .at = std::chrono::system_clock::now()},
                                 how_.most_dead_letters);
  if (kept && *kept == write_stream::burial::lost) {
    lose(partition, false);
    return false;
  }
  if (!kept || *kept == write_stream::burial::full) {
    at.queue->keep(operation, steady_now());
    calls_.say(log_level::error, "a dead letter cannot be kept: " +
                                     (kept ? fmt::format("{} are kept already", how_.most_dead_letters)
                                           : kept.error().message()));
    return false;
  }
  (void)ids_of(at, *operation);
  at.queue->bury(operation);
  {
    const locked lock{mutex_};
    ++stats_.buried;
  }
  calls_.say(log_level::error,
             fmt::format("operation {} became a dead letter: {}", operation->sequence, reason.message()));
  note_letters();
  note_settled(partition, ids, {&operation, 1});
  return true;
}

// The entries of its key up to it, which need nothing any more: the last one of those that wait stands for all.
std::vector<stream_id> stream_engine::ids_of(stream_drain& at, const stored_operation& operation) const {
  std::vector<stream_id> ids;
  const auto found = at.unsettled.find(operation.key);
  if (found == at.unsettled.end()) return ids;
  auto& all = found->second;
  for (; !all.empty() && sequence_of(all.front()) <= operation.sequence; all.pop_front()) ids.push_back(all.front());
  if (all.empty()) at.unsettled.erase(found);
  return ids;
}

void stream_engine::note_settled(unsigned partition, std::span<const stream_id> ids,
                                 std::span<const operation_ptr> operations) {
  calls_.tell(operations);  // before they are forgotten here: see engine_core::drain
  {
    const locked lock{mutex_};
    for (const stream_id& id : ids) {
      if (!own_.remove(partition, id) && appending_) early_.emplace(partition, id);
    }
  }
  space_.notify_all();
  settled_.notify_all();
}

// False: the lease is lost.
bool stream_engine::settle(unsigned partition) {
  stream_drain& at = drains_[partition];
  while (!at.done.empty()) {
    const std::span some = std::span{at.done}.first(std::min(at.done.size(), settled_at_once));
    const auto done = stream_.settle(partition, at.lease.text, some);
    if (!done) {
      at.next_settle = after(steady_now(), std::max<duration>(how_.redis.poll, 50ms));
      return true;
    }
    if (!*done) {
      lose(partition, false);
      return false;
    }
    at.done.erase(at.done.begin(), at.done.begin() + static_cast<std::ptrdiff_t>(some.size()));
  }
  return true;
}

void stream_engine::lose(unsigned partition, bool gives_back) {
  const std::string text = drains_[partition].lease.text;
  drains_[partition] = stream_drain{};
  if (gives_back) stream_.release(partition, text);
  {
    const locked lock{mutex_};
    if (leases_[partition].lease.text == text) {  // or else it is counted
      ++stats_.lost_leases;
      leases_[partition].lease = {};
    }
    next_hold_ = time_point{};
    keeper_wakes_ = true;
  }
  keeper_.notify_one();
  calls_.say(log_level::warning, fmt::format("the lease of '{}' is lost; what was read is left to the next one",
                                             stream_.writes_key(partition)));
}

}  // namespace seawall::source
