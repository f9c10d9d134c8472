// One step of SCAN, SSCAN, HSCAN and ZSCAN. A walk begins with cursor 0 and ends when `next` is 0 again; an element
// that is there all the time comes at least once, perhaps more often.
// Thread safety: pure functions.
#pragma once

#include "seawall/cmd/builder.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::cmd {

struct scan_options {
  std::optional<std::string_view> match{};   ///< Only names that match this pattern: h?llo, h*llo, h[ae]llo.
  std::optional<std::int64_t> count{};       ///< About so many elements a step; positive.
  std::optional<std::string_view> type{};    ///< SCAN: only keys of this type, "string", "hash", ... Redis 6.0.
};
static_assert(std::is_trivially_destructible_v<scan_options>);

/// A step's elements and where to go on; `next` is 0 when the walk is through.
template <class T>
struct scan_page {
  std::uint64_t next = 0;
  std::vector<T> elements;

  bool through() const noexcept { return next == 0; }
  friend bool operator==(const scan_page&, const scan_page&) = default;
};

template <class T>
struct reply_reader<scan_page<T>> {
  static result<scan_page<T>> read(resp::view reply) {
    auto parts = decode<std::pair<std::uint64_t, std::vector<T>>>(reply);
    if (!parts) return std::unexpected(std::move(parts.error()));
    return scan_page<T>{parts->first, std::move(parts->second)};
  }
};

namespace detail {
builder& append_scan(builder& made, std::uint64_t cursor, const scan_options& how);
}  // namespace detail

/// SCAN: keys of one node.
command<scan_page<std::string>> scan_step(std::uint64_t cursor, const scan_options& how = {});
/// SSCAN
template <class T = std::string>
command<scan_page<T>> sscan_step(std::string_view key, std::uint64_t cursor, const scan_options& how = {}) {
  builder made{"SSCAN"};
  return detail::append_scan(made.key(key), cursor, how);
}
/// HSCAN: fields with their values.
template <class T = std::string>
command<scan_page<std::pair<std::string, T>>> hscan_step(std::string_view key, std::uint64_t cursor,
                                                         const scan_options& how = {}) {
  builder made{"HSCAN"};
  return detail::append_scan(made.key(key), cursor, how);
}
/// HSCAN with NOVALUES: fields alone. Redis 7.4.
command<scan_page<std::string>> hscan_fields_step(std::string_view key, std::uint64_t cursor,
                                                  const scan_options& how = {});
/// ZSCAN
template <class T = std::string>
command<scan_page<scored<T>>> zscan_step(std::string_view key, std::uint64_t cursor, const scan_options& how = {}) {
  builder made{"ZSCAN"};
  return detail::append_scan(made.key(key), cursor, how);
}

}  // namespace seawall::cmd
