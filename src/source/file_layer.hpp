// file_layer: the few things that the local log asks of a file system, so that a test can put a failing disk in its
// place. What a file holds survives a crash of the machine after `sync`; that it exists under its name, after
// `sync_directory` too. Zeros may follow what was written: room that is kept for more.
// Thread safety: a layer may be used from any thread; one file by one thread at a time.
#pragma once

#include "seawall/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::source {

class log_file {
 public:
  virtual ~log_file() = default;
  /// Writes all of it at the end. After an error, any part of it may be there.
  virtual result<void> append(std::string_view bytes) = 0;
  /// After an error nothing may be said of what was written since the last success, and asking again proves nothing:
  /// the kernel reports a failed page once and takes it for clean from then on.
  virtual result<void> sync() = 0;
  virtual result<void> truncate(std::uint64_t size) = 0;
};

/// Held for as long as the object lives.
class directory_lock {
 public:
  virtual ~directory_lock() = default;
};

class file_layer {
 public:
  virtual ~file_layer() = default;
  /// Creates the directory and its parents if need be, durably.
  virtual result<void> make_directory(const std::string& path) = 0;
  /// For one process at a time; the error names the process that has it.
  virtual result<std::unique_ptr<directory_lock>> lock(const std::string& directory) = 0;
  /// The names of the files in it, in no order.
  virtual result<std::vector<std::string>> list(const std::string& directory) = 0;
  /// An empty file, whatever was there before.
  virtual result<std::unique_ptr<log_file>> create(const std::string& path) = 0;
  /// The first `most` bytes of a file, or all of them if it has less.
  virtual result<std::string> read(const std::string& path, std::size_t most) = 0;
  /// Replaces what has the new name.
  virtual result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual result<void> remove(const std::string& path) = 0;
  virtual result<void> sync_directory(const std::string& path) = 0;
};

inline constexpr std::size_t whole_file = std::numeric_limits<std::size_t>::max();

/// Of the name of a file until it is whole; what has it when a directory is opened may be removed.
inline constexpr std::string_view unfinished_suffix = ".tmp";

/// A file that has its name only when it has all of `bytes`, and with `durable` only when the disk has them; then it
/// takes the place of what had the name. Whether it does so for good, `sync_directory` says.
result<std::unique_ptr<log_file>> write_beside(file_layer& files, const std::string& path, std::string_view bytes,
                                               bool durable);

/// The machine's own (POSIX).
std::shared_ptr<file_layer> make_posix_files();

/// "cannot sync '/var/lib/x': Input/output error", with the code of the system.
std::unexpected<error> storage_failure(int code, std::string_view what, std::string_view path);

}  // namespace seawall::source
