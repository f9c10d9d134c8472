// Commands on hashes, the lifetimes of single fields included. Values go through codec<T>.
// Thread safety: pure functions.
#pragma once

#include "seawall/cmd/builder.hpp"
#include "seawall/cmd/expiry.hpp"
#include "seawall/cmd/strings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seawall::cmd {

/// HGET; nothing if there is no such field.
template <class T = std::string>
command<std::optional<T>> hget(std::string_view key, std::string_view field) {
  return builder{"HGET"}.key(key).text(field);
}
/// HMGET: one answer for each field, in order.
template <class T = std::string, key_argument... F>
command<std::vector<std::optional<T>>> hmget(std::string_view key, const F&... fields) {
  return builder{"HMGET"}.key(key).keys(fields...);
}
/// HGETALL: empty without such a key. Another container: hgetall("k").as<std::map<std::string, int>>().
template <class T = std::string>
command<std::unordered_map<std::string, T>> hgetall(std::string_view key) {
  return builder{"HGETALL"}.key(key);
}
/// HKEYS
command<std::vector<std::string>> hkeys(std::string_view key);
/// HVALS
template <class T = std::string>
command<std::vector<T>> hvals(std::string_view key) {
  return builder{"HVALS"}.key(key);
}

/// HSET: hset("h", "name", "ann", "age", 7), or a range of pairs. How many fields are new.
template <class... P>
command<std::int64_t> hset(std::string_view key, const P&... pairs) {
  return builder{"HSET"}.key(key).pairs(pairs...);
}
/// HSETNX: whether the field was set, because there was none.
template <detail::argument V>
command<bool> hset_if_absent(std::string_view key, std::string_view field, const V& value) {
  return builder{"HSETNX"}.key(key).text(field).value(value);
}
/// HDEL: how many fields there were.
template <key_argument... F>
command<std::int64_t> hdel(std::string_view key, const F&... fields) {
  return builder{"HDEL"}.key(key).keys(fields...);
}
/// HEXISTS
command<bool> hexists(std::string_view key, std::string_view field);
/// HLEN: how many fields there are.
command<std::int64_t> hlen(std::string_view key);
/// HSTRLEN: the length of a value.
command<std::int64_t> hstrlen(std::string_view key, std::string_view field);
/// HINCRBY, HINCRBYFLOAT: the number afterwards.
command<std::int64_t> hincr_by(std::string_view key, std::string_view field, std::int64_t by);
command<double> hincr_by_float(std::string_view key, std::string_view field, double by);

/// HRANDFIELD: a field; nothing without such a key. Redis 6.2.
command<std::optional<std::string>> hrandfield(std::string_view key);
/// So many different fields; negative: -count fields, perhaps the same again.
command<std::vector<std::string>> hrandfield(std::string_view key, std::int64_t count);
template <class T = std::string>
command<std::vector<std::pair<std::string, T>>> hrandfield_with_values(std::string_view key, std::int64_t count) {
  return builder{"HRANDFIELD"}.key(key).number(count).text("WITHVALUES");
}

/// What became of the lifetime of a field.
enum class field_change : std::int8_t {
  no_field = -2,
  no_ttl = -1,   ///< HPERSIST: it had none.
  not_met = 0,   ///< The condition was not met.
  done = 1,
  deleted = 2,   ///< The moment lay in the past.
};
template <>
struct reply_reader<field_change> {
  static result<field_change> read(resp::view reply);
};

namespace detail {
builder hexpire_builder(std::string_view key, duration ttl, expire_when when);
builder hexpire_at_builder(std::string_view key, server_time at, expire_when when);
}  // namespace detail

/// HEXPIRE, or HPEXPIRE unless `ttl` is whole seconds; one answer for each field. `fields` is a field, a range of
/// fields or names("a", "b"). Redis 7.4, Valkey 9.0.
template <key_argument F>
command<std::vector<field_change>> hexpire(std::string_view key, const F& fields, duration ttl,
                                           expire_when when = expire_when::always) {
  return detail::hexpire_builder(key, ttl, when).text("FIELDS").counted_keys(fields);
}
/// HPEXPIREAT
template <key_argument F>
command<std::vector<field_change>> hexpire_at(std::string_view key, const F& fields, server_time at,
                                              expire_when when = expire_when::always) {
  return detail::hexpire_at_builder(key, at, when).text("FIELDS").counted_keys(fields);
}
/// HPERSIST
template <key_argument... F>
command<std::vector<field_change>> hpersist(std::string_view key, const F&... fields) {
  return builder{"HPERSIST"}.key(key).text("FIELDS").counted_keys(fields...);
}
/// HPTTL: what is left for each field.
template <key_argument... F>
command<std::vector<lifetime<duration>>> httl(std::string_view key, const F&... fields) {
  return builder{"HPTTL"}.key(key).text("FIELDS").counted_keys(fields...);
}
/// HPEXPIRETIME: the moments.
template <key_argument... F>
command<std::vector<lifetime<server_time>>> hexpire_time(std::string_view key, const F&... fields) {
  return builder{"HPEXPIRETIME"}.key(key).text("FIELDS").counted_keys(fields...);
}

/// How fields are set by HSETEX; as `set_options`, but `when` asks for all of the fields.
using hset_options = set_options;

namespace detail {
builder hgetex_builder(std::string_view key, const getex_options& how);
builder hsetex_builder(std::string_view key, const hset_options& how);
}  // namespace detail

/// HGETEX: reads fields, and sets or removes their time to live. Redis 8.0, Valkey 9.0.
template <class T = std::string, key_argument F>
command<std::vector<std::optional<T>>> hgetex(std::string_view key, const F& fields, const getex_options& how = {}) {
  return detail::hgetex_builder(key, how).text("FIELDS").counted_keys(fields);
}
/// HSETEX: sets fields with a time to live; false: the condition was not met and none was set. Redis 8.0, Valkey 9.0.
template <class... P>
command<bool> hsetex(std::string_view key, const hset_options& how, const P&... pairs) {
  return detail::hsetex_builder(key, how).text("FIELDS").counted_pairs(pairs...);
}
/// HGETDEL: reads fields and removes them. Redis 8.0, Valkey 9.1.
template <class T = std::string, key_argument... F>
command<std::vector<std::optional<T>>> hgetdel(std::string_view key, const F&... fields) {
  return builder{"HGETDEL"}.key(key).text("FIELDS").counted_keys(fields...);
}

}  // namespace seawall::cmd
