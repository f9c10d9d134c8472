// Opening a local log: which records count, and a new segment with those that do.
#include "local_log.hpp"
#include "local_log_files.hpp"

#include "seawall/base/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace seawall::source {
namespace {

constexpr std::uint64_t no_end = std::numeric_limits<std::uint64_t>::max();

// How many sequences are left out after an opening that has no better bound of those which the source may have seen.
constexpr std::uint64_t sequence_jump = std::uint64_t{1} << 32;

struct found_segment {
  std::string file = {};
  std::uint64_t number = 0;
  std::optional<segment_header> header = {};
  std::uint64_t end = no_end;  // later segments replace what follows
};

class log_reader {
 public:
  log_reader(file_layer& files, const std::string& name, const write_log_options& how, log_recovery& found)
      : files_(files), name_(name), how_(how), found_(found) {}

  result<void> read(const local_log::visitor& visit) {
    if (auto done = find_files(); !done) return done;
    if (auto done = read_headers(); !done) return done;
    for (const found_segment& segment : segments_) {
      if (segment.end <= found_.applied) continue;
      if (auto done = read_segment(segment, visit); !done) return done;
    }
    const std::uint64_t lost = durable_ > last() ? durable_ - last() : 0;
    if (lost != 0) {
      if (!how_.repair) {
        return damaged(fmt::format("the log in '{}' ends before operation {}", how_.directory, durable_));
      }
      found_.lost_records += lost;
      leave_gap(durable_ + 1);
    }
    found_.last = last();
    return {};
  }

  const std::vector<found_segment>& segments() const noexcept { return segments_; }
  const std::string& records() const noexcept { return records_; }

  // Sequences from last() + 1 to next - 1 do not exist.
  void leave_gap(std::uint64_t next) {
    char digits[detail::max_number];
    append_record(records_, {.kind = record_kind::gap,
                             .sequence = next - 1,
                             .durable = next - 1,
                             .key = detail::print_number(last() + 1, digits)});
    last_ = next - 1;
    found_.last = last_;
  }

 private:
  std::uint64_t last() const noexcept { return std::max(last_, found_.applied); }

  result<void> find_files() {
    auto names = files_.list(how_.directory);
    if (!names) return std::unexpected(std::move(names).error());
    bool has_checkpoint = false;
    for (std::string& file : *names) {
      if (file.ends_with(unfinished_suffix)) {
        if (auto gone = files_.remove(how_.directory + '/' + file); !gone) return gone;
      } else if (const auto number = segment_number(file)) {
        segments_.push_back({.file = how_.directory + '/' + file, .number = *number});
      } else if (file == checkpoint_name) {
        has_checkpoint = true;
      }
    }
    std::ranges::sort(segments_, {}, &found_segment::number);
    if (!has_checkpoint) return {};
    const std::string path = how_.directory + '/' + std::string{checkpoint_name};
    auto bytes = files_.read(path, whole_file);
    if (!bytes) return std::unexpected(std::move(bytes).error());
    if (const auto mark = read_checkpoint(*bytes)) {
      found_.applied = mark->applied;
      durable_ = mark->durable;
    } else if (how_.repair) {
      found_.damaged.push_back(path);
    } else {
      return damaged(fmt::format("'{}' is no checkpoint of a write-behind", path));
    }
    return {};
  }

  result<void> read_headers() {
    std::uint64_t end = no_end;
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
      auto bytes = files_.read(segment->file, segment_header_size);
      if (!bytes) return std::unexpected(std::move(bytes).error());
      segment->header = read_header(*bytes);
      segment->end = end;
      if (!segment->header) continue;
      if (segment->header->version > log_format_version) {
        return fail(errc::undecodable, fmt::format("'{}' has format {}, this program reads up to {}", segment->file,
                                                   segment->header->version, log_format_version));
      }
      if (segment->header->name != name_) {
        return fail(errc::invalid_argument, fmt::format("'{}' belongs to the write-behind '{}', not to '{}'",
                                                        segment->file, segment->header->name, name_));
      }
      end = std::min(end, segment->header->first - 1);
    }
    return {};
  }

  result<void> read_segment(const found_segment& segment, const local_log::visitor& visit) {
    if (segment.header && segment.header->first > segment.end) return {};
    auto read = files_.read(segment.file, whole_file);
    if (!read) return std::unexpected(std::move(read).error());
    const std::string_view bytes = *read;
    if (segment.header && segment.header->first > last() + 1) {
      const std::string what = fmt::format("operations {} to {} are missing before '{}'", last() + 1,
                                           segment.header->first - 1, segment.file);
      if (!how_.repair) return damaged(what);
      found_.lost_records += segment.header->first - 1 - last();
      leave_gap(segment.header->first);
    }
    std::size_t at = segment.header ? segment_header_size : 0;
    if (segment.header) seen_ = std::max(seen_, segment.header->first - 1);
    while (last() < segment.end) {
      const bool is_known = segment.header || is_damaged(segment);
      const auto record = is_known ? next_record(bytes, at) : std::nullopt;
      if (record) {
        at += record_size(*record);
        seen_ = std::max(seen_, record->sequence);
        take(*record, visit);
        continue;
      }
      if (is_known && skip_applied(bytes, at)) continue;
      if (segment.end == no_end && !is_claimed(bytes, at)) {
        const std::size_t end = bytes.find_last_not_of('\0') + 1;
        if (end > at) found_.torn_bytes += end - at;
        return {};
      }
      if (!how_.repair) {
        if (!segment.header && segment.end != no_end) return {};  // missed only if the next one says so
        return damaged(fmt::format("'{}' has no readable record at offset {}, where operation {} was", segment.file, at,
                                   last() + 1));
      }
      note_damage(segment);
      if (!skip(bytes, at, segment.end)) return {};
    }
    return {};
  }

  // The record at `at`, if it is the one that follows. Those that have been applied may be jumped over.
  std::optional<log_record> next_record(std::string_view bytes, std::size_t at) const {
    auto record = read_record(bytes, at);
    if (!record) return {};
    if (record->sequence <= last()) return record;
    std::uint64_t from = record->sequence;
    if (record->kind == record_kind::gap && !detail::parse_number(record->key, from)) return {};
    if (from > last() + 1) return {};
    return record;
  }

  void take(const log_record& record, const local_log::visitor& visit) {
    if (record.sequence <= last()) return;
    if (record.kind == record_kind::gap) return leave_gap(record.sequence + 1);
    log_record copy = record;
    copy.durable = record.sequence;  // the new segment is synced as a whole
    append_record(records_, copy);
    last_ = record.sequence;
    ++found_.records;
    visit(record);
  }

  // Whether anything says that the operation after the last one had been durable.
  bool is_claimed(std::string_view bytes, std::size_t at) const {
    if (durable_ > last()) return true;
    for (at = find_record(bytes, at); at != std::string_view::npos; at = find_record(bytes, at + 1)) {
      const auto record = read_record(bytes, at);
      if (record->durable > last()) return true;
    }
    return false;
  }

  // What cannot be read has been applied, if the next record that can be read is the one that is needed next, or older.
  bool skip_applied(std::string_view bytes, std::size_t& at) const {
    if (seen_ >= found_.applied) return false;
    const std::size_t next = find_record(bytes, at);
    if (next == std::string_view::npos || !next_record(bytes, next)) return false;
    at = next;
    return true;
  }

  // To the next record that can be read and counts.
  bool skip(std::string_view bytes, std::size_t& at, std::uint64_t end) {
    for (at = find_record(bytes, at); at != std::string_view::npos; at = find_record(bytes, at + 1)) {
      const auto record = read_record(bytes, at);
      if (record->sequence <= last() || record->sequence > end) continue;
      if (record->sequence > last() + 1) {
        found_.lost_records += record->sequence - 1 - last();
        leave_gap(record->sequence);
      }
      return true;
    }
    return false;
  }

  bool is_damaged(const found_segment& segment) const {
    return std::ranges::find(found_.damaged, segment.file) != found_.damaged.end();
  }
  void note_damage(const found_segment& segment) {
    if (!is_damaged(segment)) found_.damaged.push_back(segment.file);
  }

  static std::unexpected<error> damaged(std::string_view what) {
    return fail(errc::undecodable,
                fmt::format("{}: the log is damaged. Open it once with log.repair to go on with what can be read; the "
                            "damaged files are kept beside it", what));
  }

  file_layer& files_;
  const std::string& name_;
  const write_log_options& how_;
  log_recovery& found_;
  std::vector<found_segment> segments_;
  std::string records_;
  std::uint64_t durable_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t seen_ = 0;  // the last sequence that could be read, also if it has been applied
};

result<void> copy_aside(file_layer& files, const std::string& file) {
  const auto bytes = files.read(file, whole_file);
  if (!bytes) return std::unexpected(bytes.error());
  auto copy = files.create(file + std::string{damaged_suffix});
  if (!copy) return std::unexpected(std::move(copy).error());
  auto done = (*copy)->append(*bytes);
  if (done) done = (*copy)->sync();
  return done;
}

}  // namespace

result<void> local_log::recover(const visitor& visit, std::uint64_t least) {
  log_reader reader{*files_, name_, how_, recovery_};
  if (auto done = reader.read(visit); !done) return done;
  // Not even of an end without damage can be told whether it is the end: it may not have been synced.
  reader.leave_gap((least > recovery_.last ? least : recovery_.last + sequence_jump) + 1);
  checkpointed_ = recovery_.applied;
  last_ = recovery_.last;
  for (const found_segment& segment : reader.segments()) next_number_ = segment.number + 1;

  // Before the new segment, or the next opening would take the damaged ones for replaced if this one does not end.
  for (const std::string& file : recovery_.damaged) {
    if (auto done = copy_aside(*files_, file); !done) return done;
  }
  if (auto done = start_segment(recovery_.applied + 1, reader.records(), true); !done) return done;
  durable_ = last_;
  for (const std::string& file : recovery_.damaged) {
    if (auto done = files_->remove(file); !done) return done;
  }
  for (const found_segment& segment : reader.segments()) {
    if (std::ranges::find(recovery_.damaged, segment.file) != recovery_.damaged.end()) continue;
    if (auto done = files_->remove(segment.file); !done) return done;
  }
  return files_->sync_directory(how_.directory);
}

}  // namespace seawall::source
