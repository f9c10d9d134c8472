#include "seawall/cmd/geo.hpp"

#include <tuple>

namespace seawall::cmd {
namespace {

void check_point(builder& made, const geo_point& at) {
  made.check(at.longitude >= -180 && at.longitude <= 180, "the longitude must lie between -180 and 180");
  made.check(at.latitude >= -85.05112878 && at.latitude <= 85.05112878,
             "the latitude must lie between -85.05112878 and 85.05112878");
}

void append_shape(builder& made, const geo_query& what) {
  const bool circle = what.radius > 0;
  const bool box = what.width > 0 && what.height > 0;
  made.check(circle != box, "a radius, or width and height, must be positive");
  if (circle) made.text("BYRADIUS").real(what.radius);
  else made.text("BYBOX").real(what.width).real(what.height);
  made.text(detail::word_of(what.unit));
}

void append_query(builder& made, const geo_query& what) {
  if (what.from_member) {
    made.text("FROMMEMBER").text(*what.from_member);
  } else {
    check_point(made, what.from);
    made.text("FROMLONLAT").real(what.from.longitude).real(what.from.latitude);
  }
  append_shape(made, what);
  made.text(what.farthest_first ? "DESC" : "ASC");
  made.check(what.count || !what.any, "any needs a count");
  if (!what.count) return;
  made.text("COUNT").number(*what.count).flag(what.any, "ANY").check(*what.count > 0, "the count must be positive");
}

}  // namespace

result<geo_point> reply_reader<geo_point>::read(resp::view reply) {
  const auto parts = decode<std::pair<double, double>>(reply);
  if (!parts) return std::unexpected(parts.error());
  return geo_point{parts->first, parts->second};
}

result<geo_hit> reply_reader<geo_hit>::read(resp::view reply) {
  auto parts = decode<std::tuple<std::string, double, geo_point>>(reply);
  if (!parts) return std::unexpected(std::move(parts.error()));
  auto& [member, distance, at] = *parts;
  return geo_hit{std::move(member), distance, at};
}

namespace detail {

builder geoadd_builder(std::string_view key, geo_when when, geo_point at) {
  builder made{"GEOADD"};
  made.key(key).flag(when == geo_when::absent, "NX").flag(when == geo_when::present, "XX");
  made.effect_if(when != geo_when::always, effect::write_once);
  check_point(made, at);
  made.real(at.longitude).real(at.latitude);
  return made;
}

std::string_view word_of(geo_unit unit) noexcept {
  switch (unit) {
    case geo_unit::meters: return "m";
    case geo_unit::kilometers: return "km";
    case geo_unit::miles: return "mi";
    case geo_unit::feet: return "ft";
  }
  return "m";
}

}  // namespace detail

command<std::vector<std::string>> geosearch(std::string_view key, const geo_query& what) {
  builder made{"GEOSEARCH"};
  append_query(made.key(key), what);
  return made;
}

command<std::vector<geo_hit>> geosearch_hits(std::string_view key, const geo_query& what) {
  builder made{"GEOSEARCH"};
  append_query(made.key(key), what);
  return made.text("WITHCOORD").text("WITHDIST");
}

command<std::int64_t> geosearch_store(std::string_view to, std::string_view from, const geo_query& what) {
  builder made{"GEOSEARCHSTORE"};
  append_query(made.key(to).key(from), what);
  return made;
}

}  // namespace seawall::cmd
