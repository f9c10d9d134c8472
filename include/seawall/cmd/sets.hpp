// Commands on sets. Values go through codec<T>. Results are vectors without duplicates, in no order; another container:
// smembers("s").as<std::set<std::string>>().
// Thread safety: pure functions.
#pragma once

#include "seawall/cmd/builder.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::cmd {

/// SADD: how many are new.
template <value_argument... V>
command<std::int64_t> sadd(std::string_view key, const V&... members) {
  return builder{"SADD"}.key(key).values(members...);
}
/// SREM: how many there were.
template <value_argument... V>
command<std::int64_t> srem(std::string_view key, const V&... members) {
  return builder{"SREM"}.key(key).values(members...);
}
/// SCARD
command<std::int64_t> scard(std::string_view key);
/// SISMEMBER
template <detail::argument V>
command<bool> sismember(std::string_view key, const V& member) {
  return builder{"SISMEMBER"}.key(key).value(member);
}
/// SMISMEMBER: one answer for each. Redis 6.2.
template <value_argument... V>
command<std::vector<bool>> smismember(std::string_view key, const V&... members) {
  return builder{"SMISMEMBER"}.key(key).values(members...);
}
/// SMEMBERS
template <class T = std::string>
command<std::vector<T>> smembers(std::string_view key) {
  return builder{"SMEMBERS"}.key(key);
}
/// SPOP: takes a random member, or up to `count`.
template <class T = std::string>
command<std::optional<T>> spop(std::string_view key) {
  return builder{"SPOP"}.key(key);
}
template <class T = std::string>
command<std::vector<T>> spop(std::string_view key, std::int64_t count) {
  return builder{"SPOP"}.key(key).number(count).check(count >= 0, "the count must not be negative");
}
/// SRANDMEMBER: a random member, or so many different ones; negative: -count members, perhaps the same again.
template <class T = std::string>
command<std::optional<T>> srandmember(std::string_view key) {
  return builder{"SRANDMEMBER"}.key(key);
}
template <class T = std::string>
command<std::vector<T>> srandmember(std::string_view key, std::int64_t count) {
  return builder{"SRANDMEMBER"}.key(key).number(count);
}
/// SMOVE: whether `from` had it.
template <detail::argument V>
command<bool> smove(std::string_view from, std::string_view to, const V& member) {
  return builder{"SMOVE"}.key(from).key(to).value(member);
}

/// SINTER, SUNION, SDIFF: keys and ranges of keys. In a cluster all lie in one slot.
template <class T = std::string, key_argument... K>
command<std::vector<T>> sinter(const K&... keys) {
  return builder{"SINTER"}.keys(keys...);
}
template <class T = std::string, key_argument... K>
command<std::vector<T>> sunion(const K&... keys) {
  return builder{"SUNION"}.keys(keys...);
}
template <class T = std::string, key_argument... K>
command<std::vector<T>> sdiff(const K&... keys) {
  return builder{"SDIFF"}.keys(keys...);
}
/// SINTERSTORE, SUNIONSTORE, SDIFFSTORE: into `to`; how many members.
template <key_argument... K>
command<std::int64_t> sinter_store(std::string_view to, const K&... keys) {
  return builder{"SINTERSTORE"}.key(to).keys(keys...);
}
template <key_argument... K>
command<std::int64_t> sunion_store(std::string_view to, const K&... keys) {
  return builder{"SUNIONSTORE"}.key(to).keys(keys...);
}
template <key_argument... K>
command<std::int64_t> sdiff_store(std::string_view to, const K&... keys) {
  return builder{"SDIFFSTORE"}.key(to).keys(keys...);
}
/// SINTERCARD: how many members all the sets share; counts up to `limit`, 0: all. Redis 7.0.
template <key_argument K>
command<std::int64_t> sintercard(const K& keys, std::int64_t limit = 0) {
  builder made{"SINTERCARD"};
  made.counted_keys(keys).check(limit >= 0, "the limit must not be negative");
  return limit == 0 ? made : made.text("LIMIT").number(limit);
}

}  // namespace seawall::cmd
