// dead_letters: operations that the source refuses, until somebody has looked at them. In a file of the log's
// directory, or in memory only.
// Thread safety: none.
#pragma once

#include "file_layer.hpp"

#include "seawall/base/result.hpp"
#include "seawall/source/write_engine.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace seawall::source {

class dead_letters {
 public:
  /// Without a directory: in memory.
  static result<dead_letters> open(std::shared_ptr<file_layer> files, std::string directory);

  /// Kept when it returns. One of that sequence that is there already is replaced.
  result<void> add(stored_letter letter);
  /// Nothing happens if there is none.
  result<void> remove(std::uint64_t sequence);

  const stored_letter* find(std::uint64_t sequence) const;
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
};

}  // namespace seawall::source
