#include "local_log.hpp"

#include "local_log_files.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace seawall::source {
namespace {

bool is_full(const error& failure) noexcept {
  const auto& code = failure.code();
  return code == boost::system::errc::no_space_on_device || code.value() == EDQUOT;
}

}  // namespace

result<local_log> local_log::open(std::shared_ptr<file_layer> files, std::string name, const write_log_options& how,
                                  const visitor& visit, std::uint64_t least) {
  local_log log{std::move(files), std::move(name), how};
  if (auto made = log.files_->make_directory(how.directory); !made) return std::unexpected(std::move(made).error());
  auto lock = log.files_->lock(how.directory);
  if (!lock) return std::unexpected(std::move(lock).error());
  log.lock_ = *std::move(lock);
  if (auto done = log.recover(visit, least); !done) return std::unexpected(std::move(done).error());
  return log;
}

std::string local_log::path_of(std::uint64_t number) const { return how_.directory + '/' + segment_name(number); }

result<void> local_log::commit(std::string_view records, std::uint64_t first, std::uint64_t last, bool durable) {
  if (auto done = finish_segment(); !done) return done;
  const std::size_t before = unsynced_.size();
  if (before == 0) unsynced_first_ = first;
  unsynced_ += records;
  last_ = last;
  auto done = write(records);
  if (done && durable) done = sync();
  if (!done) {
    unsynced_.resize(before);
    last_ = first - 1;
  } else if (how_.sync == seawall::sync::never) {
    unsynced_.clear();
  }
  return done;
}

// A segment that is followed by another is durable as a whole: only in the last one may the end be missing.
result<void> local_log::finish_segment() {
  if (!active_ || segments_.back().bytes < how_.segment_bytes) return {};
  if (how_.sync == seawall::sync::never) {
    if (!active_->sync()) ++failed_syncs_;
  } else if (auto done = sync(); !done) {
    return done;
  }
  if (segments_.back().bytes >= how_.segment_bytes) active_.reset();
  return {};
}

result<void> local_log::write(std::string_view records) {
  if (!active_) return start_segment(unsynced_first_, unsynced_, false);
  auto done = active_->append(records);
  if (done) {
    segments_.back().bytes += records.size();
    return done;
  }
  // What is there of them must not be followed by others. On a full disk the file can go on when there is room again;
  // after any other error it is not to be trusted.
  if (!is_full(done.error()) || !active_->truncate(segments_.back().bytes)) active_.reset();
  return done;
}

result<void> local_log::sync() {
  if (unsynced_.empty()) return {};
  if (!active_ || !sync_active()) {
    if (auto moved = start_segment(unsynced_first_, unsynced_, false); !moved) return moved;
    if (auto done = sync_active(); !done) return done;
  }
  durable_ = last_;
  unsynced_.clear();
  return {};
}

// A file whose sync has failed is left alone from then on.
result<void> local_log::sync_active() {
  auto done = active_->sync();
  if (done) return done;
  ++failed_syncs_;
  active_.reset();
  return done;
}

// Under its own name only when it is whole, so that it never replaces records of which it has no copy.
result<void> local_log::start_segment(std::uint64_t first, std::string_view records, bool durable) {
  const std::uint64_t number = next_number_++;
  std::string bytes = write_header({.number = number, .first = first, .name = name_});
  bytes += records;
  auto file = write_beside(*files_, path_of(number), bytes, durable);
  if (!file) return std::unexpected(std::move(file).error());
  segments_.push_back({.number = number, .first = first, .bytes = bytes.size()});
  if (auto named = files_->sync_directory(how_.directory); !named) return named;
  active_ = *std::move(file);
  remove_replaced();
  return {};
}

// Or a disk that fails each sync would get a copy of the same records with each attempt.
void local_log::remove_replaced() {
  const std::uint64_t first = segments_.back().first;
  while (segments_.size() > 1) {
    const auto before = segments_.end() - 2;
    if (before->first < first || !files_->remove(path_of(before->number))) return;  // what is left is no harm
    segments_.erase(before);
  }
}

// The last sequence that counts in a segment.
std::uint64_t local_log::end_of(std::size_t segment) const noexcept {
  std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t later = segment + 1; later < segments_.size(); ++later) {
    end = std::min(end, segments_[later].first - 1);
  }
  return end;
}

bool local_log::can_shrink(std::uint64_t applied) const noexcept {
  return segments_.size() > 1 && end_of(0) <= applied;
}

result<void> local_log::finish(std::uint64_t applied) {
  if (durable_ <= std::max(claimed_, applied)) return checkpoint(applied);
  return write_checkpoint_file(std::max(applied, checkpointed_));
}

result<void> local_log::checkpoint(std::uint64_t applied) {
  if (applied <= checkpointed_) return {};
  return write_checkpoint_file(applied);
}

result<void> local_log::write_checkpoint_file(std::uint64_t applied) {
  const std::string path = how_.directory + '/' + std::string{checkpoint_name};
  auto file = write_beside(*files_, path, write_checkpoint({.applied = applied, .durable = durable_}), true);
  if (!file) return std::unexpected(std::move(file).error());
  if (auto named = files_->sync_directory(how_.directory); !named) return named;
  checkpointed_ = applied;
  claimed_ = durable_;
  while (can_shrink(applied)) {
    if (auto gone = files_->remove(path_of(segments_.front().number)); !gone) return gone;
    segments_.erase(segments_.begin());
  }
  return {};
}

std::uint64_t local_log::bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const segment_info& segment : segments_) sum += segment.bytes;
  return sum;
}

}  // namespace seawall::source
