// Value trees made from bytes: the same source of variety for RapidCheck, which shrinks the bytes, and for libFuzzer.
#pragma once

#include "resp_reference.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace seawall::fuzz {

/// Hands out the bytes of an input one after the other; zeros when they are used up, which choose the simplest.
class choices {
 public:
  explicit choices(std::string_view bytes) : bytes_(bytes) {}

  /// 0 to `below` - 1.
  std::size_t pick(std::size_t below) {
    std::size_t n = byte();
    if (below > 256) n = n * 256 + byte();
    return n % below;
  }
  bool used_up() const { return at_ >= bytes_.size(); }
  std::string_view rest() const { return bytes_.substr(at_); }

 private:
  std::size_t byte() { return at_ < bytes_.size() ? static_cast<unsigned char>(bytes_[at_++]) : 0; }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

/// A value of any type, with attributes and streamed forms if `plain` is false, no deeper than `depth`.
tree make_tree(choices& from, std::size_t depth, bool top = true, bool plain = false);

/// Changes, removes, doubles or swaps a few bytes.
void spoil(std::string& bytes, choices& from);

}  // namespace seawall::fuzz
