// local_log: the operations that a write-behind has acknowledged and not yet applied, in files of one directory.
//
// Segments are written from front to back and never changed. Their header says with which sequence they begin; a
// segment replaces, from that sequence on, all that were made before it. So a file whose sync has failed is left as it
// is, and what was not durable in it is written once more, into the next one; a file that is replaced as a whole is
// removed.
// A checkpoint says which operations have been applied; segments of which all have been are removed.
// Opening reads what is left, in order, into one new segment that is synced before it gets its name. What lay behind
// the end of the last whole record was never acknowledged and is dropped. A record that is missing, though it had been
// durable, is an error, or with `repair` set left out: files with damage are then kept under another name.
// Sequences go on behind all that any opening may have given, also those of records that a crash took: from the
// caller's `least` on, which the time is good for, or far behind the last one that was found.
// Thread safety: none; the thread that commits owns it.
#pragma once

#include "file_layer.hpp"
#include "local_log_record.hpp"
#include "seawall/base/result.hpp"
#include "seawall/source/write_behind_options.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::source {

struct segment_info {
  std::uint64_t number = 0;
  std::uint64_t first = 0;  ///< sequence
  std::uint64_t bytes = 0;
};

/// What opening a log found.
struct log_recovery {
  std::uint64_t applied = 0;        ///< everything up to it has been applied
  std::uint64_t last = 0;           ///< the last sequence that is taken
  std::uint64_t records = 0;
  std::uint64_t torn_bytes = 0;     ///< of writes that a crash cut off
  std::uint64_t lost_records = 0;   ///< of a repair
  std::vector<std::string> damaged = {};  ///< files that a repair has put aside
};

class local_log {
 public:
  using visitor = std::function<void(const log_record&)>;

  /// `visit` is called with the operations that have not been applied, in order. New sequences are greater than
  /// `least`.
  static result<local_log> open(std::shared_ptr<file_layer> files, std::string name, const write_log_options& how,
                                const visitor& visit, std::uint64_t least = 0);

  local_log(local_log&&) noexcept = default;
  local_log& operator=(local_log&&) noexcept = default;
  ~local_log() = default;

  /// Writes finished records with the sequences `first` to `last`, which follow those before. With `durable`, returns
  /// when the disk has them. After an error they do not count as written: the next call begins at `first` again.
  result<void> commit(std::string_view records, std::uint64_t first, std::uint64_t last, bool durable);

  /// Makes what has been written durable.
  result<void> sync();

  /// Everything up to `applied` has been applied.
  result<void> checkpoint(std::uint64_t applied);

  /// Writes a checkpoint that claims all that is durable, so that damage to the end of it is not taken for an end that
  /// a crash cut off.
  result<void> finish(std::uint64_t applied);

  const log_recovery& recovery() const noexcept { return recovery_; }
  /// The last sequence that a crash of the machine cannot take.
  std::uint64_t durable() const noexcept { return durable_; }
  bool has_unsynced() const noexcept { return !unsynced_.empty(); }
  /// Whether a checkpoint at `applied` would free a segment.
  bool can_shrink(std::uint64_t applied) const noexcept;
  std::uint64_t bytes() const noexcept;
  std::size_t segments() const noexcept { return segments_.size(); }
  std::uint64_t failed_syncs() const noexcept { return failed_syncs_; }

 private:
  local_log(std::shared_ptr<file_layer> files, std::string name, const write_log_options& how)
      : files_(std::move(files)), name_(std::move(name)), how_(how) {}

  result<void> recover(const visitor& visit, std::uint64_t least);
  result<void> sync_active();
  result<void> finish_segment();
  result<void> write_checkpoint_file(std::uint64_t applied);
  result<void> write(std::string_view records);
  result<void> start_segment(std::uint64_t first, std::string_view records, bool durable);
  void remove_replaced();
  std::uint64_t end_of(std::size_t segment) const noexcept;
  std::string path_of(std::uint64_t number) const;

  std::shared_ptr<file_layer> files_;
  std::string name_;
  write_log_options how_;
  std::unique_ptr<directory_lock> lock_;

  std::unique_ptr<log_file> active_;  // the last of segments_; null: the next write begins a new one
  std::vector<segment_info> segments_;
  std::uint64_t next_number_ = 1;
  std::string unsynced_;              // what a failed sync would take with it
  std::uint64_t unsynced_first_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t checkpointed_ = 0;
  std::uint64_t claimed_ = 0;         // as durable, by the last checkpoint
  std::uint64_t failed_syncs_ = 0;
  log_recovery recovery_;
};

}  // namespace seawall::source
