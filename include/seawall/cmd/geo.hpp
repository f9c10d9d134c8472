// Commands on places: sorted sets whose scores are geohashes.
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

/// Degrees: longitude -180 to 180, latitude -85.05112878 to 85.05112878.
struct geo_point {
  double longitude = 0;
  double latitude = 0;

  friend bool operator==(const geo_point&, const geo_point&) = default;
};
template <>
struct reply_reader<geo_point> {
  static result<geo_point> read(resp::view reply);
};

enum class geo_unit : std::uint8_t { meters, kilometers, miles, feet };

/// Which members a GEOADD touches.
enum class geo_when : std::uint8_t {
  always,
  absent,   ///< NX: only new members.
  present,  ///< XX: only members that are there.
};

/// What to look for. The centre is a member or a point; the shape a circle or a box.
struct geo_query {
  std::optional<std::string_view> from_member{};
  geo_point from{};                          ///< If there is no `from_member`.
  double radius = 0;                         ///< Positive: a circle.
  double width = 0;                          ///< Both positive: a box.
  double height = 0;
  geo_unit unit = geo_unit::meters;          ///< Of the shape, and of the distances in the answer.
  std::optional<std::int64_t> count{};       ///< At most so many, the nearest; positive.
  bool any = false;                          ///< Whichever are found first, not the nearest; needs `count`.
  bool farthest_first = false;               ///< Otherwise the nearest come first.
};
static_assert(std::is_trivially_destructible_v<geo_query>);

struct geo_hit {
  std::string member;
  double distance = 0;                       ///< From the centre, in the query's unit.
  geo_point at;

  friend bool operator==(const geo_hit&, const geo_hit&) = default;
};
template <>
struct reply_reader<geo_hit> {
  static result<geo_hit> read(resp::view reply);
};

namespace detail {
builder geoadd_builder(std::string_view key, geo_when when, geo_point at);
std::string_view word_of(geo_unit unit) noexcept;
}  // namespace detail

/// GEOADD: how many are new.
template <detail::argument V>
command<std::int64_t> geoadd(std::string_view key, const V& member, geo_point at, geo_when when = geo_when::always) {
  return detail::geoadd_builder(key, when, at).value(member);
}
/// GEOPOS: nothing for what is no member.
template <value_argument... V>
command<std::vector<std::optional<geo_point>>> geopos(std::string_view key, const V&... members) {
  return builder{"GEOPOS"}.key(key).values(members...);
}
/// GEOHASH
template <value_argument... V>
command<std::vector<std::optional<std::string>>> geohash(std::string_view key, const V&... members) {
  return builder{"GEOHASH"}.key(key).values(members...);
}
/// GEODIST: nothing if one of them is no member.
template <detail::argument A, detail::argument B>
command<std::optional<double>> geodist(std::string_view key, const A& a, const B& b, geo_unit unit = geo_unit::meters) {
  return builder{"GEODIST"}.key(key).value(a).value(b).text(detail::word_of(unit));
}
/// GEOSEARCH: members alone, or with distances and points. Redis 6.2.
command<std::vector<std::string>> geosearch(std::string_view key, const geo_query& what);
command<std::vector<geo_hit>> geosearch_hits(std::string_view key, const geo_query& what);
/// GEOSEARCHSTORE: into `to`; how many. Redis 6.2.
command<std::int64_t> geosearch_store(std::string_view to, std::string_view from, const geo_query& what);

}  // namespace seawall::cmd
