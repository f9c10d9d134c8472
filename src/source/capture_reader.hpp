// Reads the big-endian fields of PostgreSQL's replication protocol. The first thing that is wrong is kept, and every
// read after it answers zero.
#pragma once

#include "seawall/source/sql_error.hpp"

#include <fmt/format.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace seawall::postgres {

/// Thread safety: none.
class field_reader {
 public:
  field_reader(std::string_view what, std::string_view bytes) noexcept : what_(what), bytes_(bytes) {}

  template <std::unsigned_integral T>
  T number(std::string_view name) {
    if (!need(sizeof(T), name)) return 0;
    T made = 0;
    for (std::size_t i = 0; i != sizeof(T); ++i) {
      made = static_cast<T>((std::uint64_t{made} << 8U) | static_cast<unsigned char>(bytes_[at_ + i]));
    }
    at_ += sizeof(T);
    return made;
  }

  char letter(std::string_view name) { return static_cast<char>(number<std::uint8_t>(name)); }

  std::string_view bytes(std::size_t size, std::string_view name) {
    if (!need(size, name)) return {};
    return bytes_.substr(std::exchange(at_, at_ + size), size);
  }

  /// Up to a byte 0.
  std::string_view text(std::string_view name) {
    if (!good()) return {};
    const std::size_t end = bytes_.find('\0', at_);
    if (end == std::string_view::npos) return wrong(fmt::format("{} does not end", name)), std::string_view{};
    const auto found = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return found;
  }

  std::string_view rest() { return good() ? bytes_.substr(std::exchange(at_, bytes_.size())) : std::string_view{}; }

  void wrong(std::string said) {
    if (!problem_) problem_ = fmt::format("{}: {} at offset {} of {}", what_, said, at_, bytes_.size());
  }
  bool good() const noexcept { return !problem_; }
  std::size_t left() const noexcept { return bytes_.size() - at_; }

  /// An error if anything was wrong, or something is left.
  result<void> finish() {
    if (good() && left() != 0) wrong(fmt::format("{} bytes too many", left()));
    if (good()) return {};
    return sql::fail(sql::errc::mapping, *problem_);
  }

 private:
  bool need(std::size_t size, std::string_view name) {
    if (good() && left() < size) wrong(fmt::format("no room for {}", name));
    return good();
  }

  std::string_view what_;
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::optional<std::string> problem_;
};

}  // namespace seawall::postgres
