// Commands on strings and counters. Values go through codec<T>: get<int>, get<user>.
// Thread safety: pure functions.
#pragma once

#include "seawall/cmd/builder.hpp"
#include "seawall/cmd/expiry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace seawall::cmd {

/// When a SET takes effect.
enum class set_when : std::uint8_t {
  always,
  absent,   ///< NX: only if there is no such key.
  present,  ///< XX: only if there is one.
};

/// How a value is set. At most one of `ex`, `expire_at` and `keep_ttl`.
struct set_options {
  std::optional<duration> ex{};            ///< Its time to live: positive; in milliseconds unless whole seconds.
  std::optional<server_time> expire_at{};  ///< The moment at which it expires.
  bool keep_ttl = false;                   ///< Keeps the time to live that the key has, which SET takes away.
  set_when when = set_when::always;
};
static_assert(std::is_trivially_destructible_v<set_options>);

/// What GETEX does to the time to live; nothing by default. At most one.
struct getex_options {
  std::optional<duration> ex{};
  std::optional<server_time> expire_at{};
  bool persist = false;  ///< Takes the time to live away.
};
static_assert(std::is_trivially_destructible_v<getex_options>);

namespace detail {

builder set_builder(std::string_view key);
void append_set_options(builder& made, const set_options& how);
void append_lifetime(builder& made, const set_options& how);
void append_getex_options(builder& made, const getex_options& how);
builder getex_builder(std::string_view key, const getex_options& how);
/// OK: true; null: false, the condition was not met.
result<bool> read_applied(resp::view reply);

}  // namespace detail

/// GET; nothing if there is no such key.
template <class T = std::string>
command<std::optional<T>> get(std::string_view key) {
  return builder{"GET"}.key(key);
}

/// SET; false: the condition `when` was not met.
template <detail::argument V>
command<bool> set(std::string_view key, const V& value, const set_options& how = {}) {
  builder made = detail::set_builder(key);
  made.value(value);
  detail::append_set_options(made, how);
  return made.with(&detail::read_applied);
}

/// SET with IFEQ (Redis 8.4, Valkey 8.1): only if the value is `expected`; false: it was not. `how.when` is `always`.
template <detail::argument V, detail::argument E>
command<bool> set_if_equal(std::string_view key, const V& value, const E& expected, const set_options& how = {}) {
  builder made = detail::set_builder(key);
  made.value(value).text("IFEQ").value(expected).effect(effect::write_once);
  made.check(how.when == set_when::always, "a comparison and `when` exclude each other");
  detail::append_set_options(made, how);
  return made.with(&detail::read_applied);
}

/// SET with GET: the value that was there before. With `when`: the value is set only if the condition is met, which the
/// answer does not always tell. Redis 6.2, with `when` 7.0.
template <class T = std::string, detail::argument V>
command<std::optional<T>> exchange(std::string_view key, const V& value, const set_options& how = {}) {
  builder made = detail::set_builder(key);
  made.value(value).text("GET");
  detail::append_set_options(made, how);
  made.effect(effect::write_once);
  return made;
}

/// GETEX: reads, and sets or removes the time to live. Redis 6.2.
template <class T = std::string>
command<std::optional<T>> getex(std::string_view key, const getex_options& how = {}) {
  return detail::getex_builder(key, how);
}

/// GETDEL: reads and removes. Redis 6.2.
template <class T = std::string>
command<std::optional<T>> getdel(std::string_view key) {
  return builder{"GETDEL"}.key(key);
}

/// MGET: one answer for each key, in order. A cluster client splits it.
template <class T = std::string, key_argument... K>
command<std::vector<std::optional<T>>> mget(const K&... keys) {
  return builder{"MGET"}.keys(keys...);
}

/// MSET: mset("a", 1, "b", 2), or a range of pairs. A cluster client splits it.
template <class... P>
command<ok> mset(const P&... pairs) {
  return builder{"MSET"}.pairs(pairs...);
}

/// MSETNX: all or, if one of the keys exists, none; whether they were set. In a cluster all keys lie in one slot.
template <class... P>
command<bool> mset_if_absent(const P&... pairs) {
  return builder{"MSETNX"}.pairs(pairs...);
}

/// MSETEX: sets pairs as `how` says; false: the condition (for all of the keys) was not met and none was set. In a
/// cluster all keys lie in one slot. Redis 8.4, Valkey 9.1.
template <class... P>
command<bool> msetex(const set_options& how, const P&... pairs) {
  builder made{"MSETEX"};
  made.counted_pairs(pairs...);
  detail::append_set_options(made, how);
  return made;
}

/// INCR, DECR, INCRBY, DECRBY: the number afterwards.
command<std::int64_t> incr(std::string_view key);
command<std::int64_t> decr(std::string_view key);
command<std::int64_t> incr_by(std::string_view key, std::int64_t by);
command<std::int64_t> decr_by(std::string_view key, std::int64_t by);
/// INCRBYFLOAT: the number afterwards.
command<double> incr_by_float(std::string_view key, double by);

/// APPEND: the length afterwards.
command<std::int64_t> append(std::string_view key, std::string_view text);
/// STRLEN: 0 without such a key.
command<std::int64_t> strlen(std::string_view key);
/// GETRANGE: bytes `first` to `last`, both included; negative: counted from the end (-1 is the last).
command<std::string> getrange(std::string_view key, std::int64_t first, std::int64_t last);
/// SETRANGE: overwrites from byte `offset` on, 0 or more; the length afterwards.
command<std::int64_t> setrange(std::string_view key, std::int64_t offset, std::string_view text);
/// LCS: the longest common subsequence of two strings, and its length. Redis 7.0.
command<std::string> lcs(std::string_view a, std::string_view b);
command<std::int64_t> lcs_length(std::string_view a, std::string_view b);

/// DIGEST: the XXH3 digest of a value in hexadecimal. Redis 8.4.
command<std::optional<std::string>> digest(std::string_view key);

/// DELIFEQ: removes the key if its value is `expected`; whether it did. Valkey 9.0.
template <detail::argument E>
command<bool> delifeq(std::string_view key, const E& expected) {
  return builder{"DELIFEQ"}.key(key).value(expected);
}
/// DELEX with IFEQ: the same on Redis 8.4.
template <detail::argument E>
command<bool> delex_if_equal(std::string_view key, const E& expected) {
  return builder{"DELEX"}.key(key).text("IFEQ").value(expected);
}

}  // namespace seawall::cmd
