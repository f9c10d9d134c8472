// What the clients of the web shop ask for, and what they are answered.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace seawall::demo {

enum class request_kind : std::uint8_t { product_page, user, order, order_list, dashboard };
inline constexpr std::size_t request_kinds = 5;

inline constexpr std::array<std::string_view, request_kinds> kind_names{"product page", "user", "order", "order list",
                                                                        "dashboard"};
inline std::string_view name_of(request_kind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

/// Pages of an order list that clients ask for: 0, 1 and 2.
inline constexpr std::uint8_t list_pages = 3;

/// The key of a cached answer: a product, a user or an order by its id; `page` is 0 except for order lists.
struct request_key {
  request_kind kind{};
  std::uint8_t page = 0;
  std::uint32_t id = 0;
  friend bool operator==(const request_key&, const request_key&) = default;
};

/// The rows that carry a version.
enum class table : std::uint8_t { products, users, orders };

struct row {
  table in{};
  std::uint32_t id = 0;
  friend bool operator==(const row&, const row&) = default;
};

/// The row whose version tells the age of an answer. Everything about a user depends on that user's row, on their
/// orders (whose writes bump the user's version too) and on rows that never change.
inline row version_source(const request_key& key) {
  switch (key.kind) {
    case request_kind::product_page:
      return {table::products, key.id};
    case request_kind::order:
      return {table::orders, key.id};
    default:
      return {table::users, key.id};
  }
}

/// A finished answer: what the service would send, and what the checker wants to know about it.
struct answer {
  request_key key;            ///< what it answers, taken from the rows read, not from the question
  std::uint32_t version = 0;  ///< the version of `version_source(key)`, read in the same snapshot
  std::int64_t made_at = 0;   ///< steady clock, ns: when the database had answered
  std::string body;           ///< JSON
};

/// Mixes all bits of a number into all bits of the result (splitmix64).
inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// Found by seawall::hash<request_key>, which mixes it.
inline std::size_t hash_value(const request_key& k) noexcept {
  return std::size_t{k.id} << 16 | std::size_t{k.page} << 8 | static_cast<std::size_t>(k.kind);
}

}  // namespace seawall::demo
