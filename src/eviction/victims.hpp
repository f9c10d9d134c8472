// The victims of one call of policy::evict, and whether there are enough of them.
// Thread safety: none.
#pragma once

#include "seawall/eviction/entry_header.hpp"

#include <cstddef>
#include <span>

namespace seawall::eviction {

class victims {
 public:
  victims(std::size_t entries, std::size_t weight, std::span<handle> into) noexcept
      : entries_(entries), weight_(weight), into_(into) {}

  /// Enough went, in number and in weight.
  bool enough() const noexcept { return count_ >= entries_ && gone_weight_ >= weight_; }
  bool full() const noexcept { return count_ == into_.size(); }
  bool done() const noexcept { return full() || enough(); }

  /// Requires: !full().
  void add(handle which, const entry_header& entry) noexcept {
    into_[count_++] = which;
    gone_weight_ += entry.weight();
  }

  std::size_t count() const noexcept { return count_; }
  /// How many more there is room for.
  std::size_t room() const noexcept { return into_.size() - count_; }
  /// How many more are likely to be needed: by number, since their weights are not known.
  std::size_t expected() const noexcept {
    const std::size_t missing = count_ < entries_ ? entries_ - count_ : 1;
    return missing < room() ? missing : room();
  }

 private:
  std::size_t entries_;
  std::size_t weight_;
  std::span<handle> into_;
  std::size_t count_ = 0;
  std::size_t gone_weight_ = 0;
};

}  // namespace seawall::eviction
