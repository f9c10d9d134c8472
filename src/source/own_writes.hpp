// own_writes: the entries of streams that this process has put there and that, as far as it knows, wait for the source.
// Thread safety: none.
#pragma once

#include "write_stream.hpp"

#include "seawall/base/clock.hpp"
#include "seawall/base/hash.hpp"
#include "seawall/source/stored_operation.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seawall::source {

class own_writes {
 public:
  explicit own_writes(unsigned partitions) : entries_(partitions) {}

  /// Requires: ids of a partition ascend.
  void add(unsigned partition, const stream_id& id, operation_ptr operation, time_point now);
  /// It is dealt with. False: it is not here.
  bool remove(unsigned partition, const stream_id& id);
  /// Null: it is not here.
  operation_ptr find(unsigned partition, const stream_id& id) const;

  /// The last operation of the key; null if there is none.
  operation_ptr pending(std::string_view key) const;

  std::size_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t size(unsigned partition) const noexcept { return entries_[partition].size(); }
  bool has(unsigned partition, const stream_id& id) const { return entries_[partition].contains(id); }
  /// The first ones of a partition, at most `most`.
  std::vector<stream_id> first(unsigned partition, std::size_t most) const;
  /// The last of each partition, and how many of those up to them are still here.
  std::vector<std::optional<stream_id>> last() const;
  std::size_t up_to(std::span<const std::optional<stream_id>> last) const;
  /// Since when the oldest one waits; `never` if there is none.
  time_point oldest() const noexcept;

 private:
  struct entry {
    operation_ptr operation;
    time_point since;
  };

  std::vector<std::map<stream_id, entry>> entries_;
  std::unordered_map<std::string, operation_ptr, hash<std::string>, std::equal_to<>> last_;  // of each key
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace seawall::source
