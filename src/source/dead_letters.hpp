// dead_letters: operations that the source refuses, until somebody has looked at them. In a file of the log's
// directory, or in memory only. Of those that were removed the file keeps key and sequence for as long as the log may
// still have the operation, which would come back as one that is to be applied.
// Thread safety: none.
#pragma once

#include "file_layer.hpp"

#include "seawall/base/result.hpp"
#include "seawall/source/write_engine.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seawall::source {

/// A letter as one record of a log, with a checksum.
std::string to_record(const stored_letter& letter);
/// Nothing if it is none.
std::optional<stored_letter> letter_of(std::string_view record);

class dead_letters {
 public:
  /// Without a directory: in memory. `applied`: up to it the log has nothing any more.
  static result<dead_letters> open(std::shared_ptr<file_layer> files, std::string directory, std::uint64_t applied);

  /// Kept when it returns. One of that sequence that is there already is replaced.
  result<void> add(stored_letter letter);
  /// Nothing happens if there is none.
  result<void> remove(std::uint64_t sequence);

  const stored_letter* find(std::uint64_t sequence) const;
  /// Of each key the last operation that is or was a dead letter. All up to it had been dealt with when it became one.
  std::unordered_map<std::string, std::uint64_t> last_of_keys() const;
  std::vector<stored_letter> list() const;
  std::size_t size() const noexcept { return letters_.size(); }

 private:
  result<void> read();
  result<void> append(const std::string& record);
  result<void> rewrite();

  std::shared_ptr<file_layer> files_;
  std::string directory_;
  std::string path_;
  std::unique_ptr<log_file> file_;  // null: to be written anew, with all that is there
  std::map<std::uint64_t, stored_letter> letters_;
  std::map<std::uint64_t, std::string> removed_;  // keys
};

}  // namespace seawall::source
