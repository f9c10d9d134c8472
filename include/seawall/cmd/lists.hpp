// Commands on lists, blocking ones included. Values go through codec<T>.
// A blocking command waits at the server for at most its `wait` (seawall::forever: without end), on a connection of its
// own; its timeout is counted on top.
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

/// An end of a list: left is its head, index 0.
enum class list_end : std::uint8_t { left, right };

namespace detail {
std::string_view word_of(list_end end) noexcept;
/// Checks that a count of elements is positive.
builder& append_count(builder& made, std::int64_t count);
}  // namespace detail

/// LPUSH, RPUSH: values and ranges of values, one after the other; the length afterwards.
template <value_argument... V>
command<std::int64_t> lpush(std::string_view key, const V&... values) {
  return builder{"LPUSH"}.key(key).values(values...);
}
template <value_argument... V>
command<std::int64_t> rpush(std::string_view key, const V&... values) {
  return builder{"RPUSH"}.key(key).values(values...);
}
/// LPUSHX, RPUSHX: only if the list exists, else 0.
template <value_argument... V>
command<std::int64_t> lpush_if_present(std::string_view key, const V&... values) {
  return builder{"LPUSHX"}.key(key).values(values...);
}
template <value_argument... V>
command<std::int64_t> rpush_if_present(std::string_view key, const V&... values) {
  return builder{"RPUSHX"}.key(key).values(values...);
}

/// LPOP, RPOP: takes one element; nothing if the list is empty.
template <class T = std::string>
command<std::optional<T>> lpop(std::string_view key) {
  return builder{"LPOP"}.key(key);
}
template <class T = std::string>
command<std::optional<T>> rpop(std::string_view key) {
  return builder{"RPOP"}.key(key);
}
/// Takes up to `count`, 1 or more. Redis 6.2.
template <class T = std::string>
command<std::vector<T>> lpop(std::string_view key, std::int64_t count) {
  builder made{"LPOP"};
  return detail::append_count(made.key(key), count);
}
template <class T = std::string>
command<std::vector<T>> rpop(std::string_view key, std::int64_t count) {
  builder made{"RPOP"};
  return detail::append_count(made.key(key), count);
}

/// LLEN
command<std::int64_t> llen(std::string_view key);
/// LRANGE: elements `first` to `last`, both included; negative: counted from the end.
template <class T = std::string>
command<std::vector<T>> lrange(std::string_view key, std::int64_t first, std::int64_t last) {
  return builder{"LRANGE"}.key(key).number(first).number(last);
}
/// LINDEX
template <class T = std::string>
command<std::optional<T>> lindex(std::string_view key, std::int64_t index) {
  return builder{"LINDEX"}.key(key).number(index);
}
/// LSET: an error beyond the list.
template <detail::argument V>
command<ok> lset(std::string_view key, std::int64_t index, const V& value) {
  return builder{"LSET"}.key(key).number(index).value(value);
}

namespace detail {
/// -1 (no pivot) and 0 (no key) are nothing.
result<std::optional<std::int64_t>> read_inserted(resp::view reply);
}  // namespace detail

/// LINSERT: the length afterwards; nothing if there is no such pivot or list.
template <detail::argument P, detail::argument V>
command<std::optional<std::int64_t>> linsert_before(std::string_view key, const P& pivot, const V& value) {
  return builder{"LINSERT"}.key(key).text("BEFORE").value(pivot).value(value).with(&detail::read_inserted);
}
template <detail::argument P, detail::argument V>
command<std::optional<std::int64_t>> linsert_after(std::string_view key, const P& pivot, const V& value) {
  return builder{"LINSERT"}.key(key).text("AFTER").value(pivot).value(value).with(&detail::read_inserted);
}
/// LREM: removes the first `count` elements that are `value`; negative: the last; 0: all. How many there were.
template <detail::argument V>
command<std::int64_t> lrem(std::string_view key, std::int64_t count, const V& value) {
  return builder{"LREM"}.key(key).number(count).value(value).effect_if(count == 0, effect::write_last);
}
/// LTRIM: keeps elements `first` to `last`.
command<ok> ltrim(std::string_view key, std::int64_t first, std::int64_t last);

struct lpos_options {
  std::int64_t rank = 1;                      ///< The first match, the second, ...; negative: from the end. Not 0.
  std::optional<std::int64_t> max_length{};   ///< Looks at so many elements at most.
};
static_assert(std::is_trivially_destructible_v<lpos_options>);

namespace detail {
builder& append_lpos_options(builder& made, const lpos_options& how);
}  // namespace detail

/// LPOS: the index of a value. Redis 6.0.6.
template <detail::argument V>
command<std::optional<std::int64_t>> lpos(std::string_view key, const V& value, const lpos_options& how = {}) {
  builder made{"LPOS"};
  return detail::append_lpos_options(made.key(key).value(value), how);
}
/// The indexes of up to `count` matches, 0: of all.
template <detail::argument V>
command<std::vector<std::int64_t>> lpos_all(std::string_view key, const V& value, std::int64_t count = 0,
                                            const lpos_options& how = {}) {
  builder made{"LPOS"};
  detail::append_lpos_options(made.key(key).value(value), how);
  return made.option("COUNT", count, "the count must not be negative");
}

/// LMOVE: from an end of one list to an end of another (or the same); nothing if it is empty. Redis 6.2.
template <class T = std::string>
command<std::optional<T>> lmove(std::string_view from, std::string_view to, list_end from_end, list_end to_end) {
  return builder{"LMOVE"}.key(from).key(to).text(detail::word_of(from_end)).text(detail::word_of(to_end));
}
/// LMPOP: up to `count` elements of the first list that has some, with its key. Redis 7.0.
template <class T = std::string, key_argument K>
command<std::optional<std::pair<std::string, std::vector<T>>>> lmpop(const K& keys, list_end end,
                                                                     std::int64_t count = 1) {
  builder made{"LMPOP"};
  return detail::append_count(made.counted_keys(keys).text(detail::word_of(end)).text("COUNT"), count);
}

/// BLPOP, BRPOP: waits for an element of the first list that has one: key and element; nothing when the wait is over.
/// `keys` is a key, a range of keys or names("a", "b").
template <class T = std::string, key_argument K>
command<std::optional<std::pair<std::string, T>>> blpop(const K& keys, duration wait) {
  return builder{"BLPOP"}.keys(keys).wait_seconds(wait);
}
template <class T = std::string, key_argument K>
command<std::optional<std::pair<std::string, T>>> brpop(const K& keys, duration wait) {
  return builder{"BRPOP"}.keys(keys).wait_seconds(wait);
}
/// BLMOVE: as LMOVE, waits for an element.
template <class T = std::string>
command<std::optional<T>> blmove(std::string_view from, std::string_view to, list_end from_end, list_end to_end,
                                 duration wait) {
  builder made{"BLMOVE"};
  return made.key(from).key(to).text(detail::word_of(from_end)).text(detail::word_of(to_end)).wait_seconds(wait);
}
/// BLMPOP: as LMPOP, waits for an element.
template <class T = std::string, key_argument K>
command<std::optional<std::pair<std::string, std::vector<T>>>> blmpop(const K& keys, list_end end, duration wait,
                                                                      std::int64_t count = 1) {
  builder made{"BLMPOP"};
  made.wait_seconds(wait).counted_keys(keys).text(detail::word_of(end)).text("COUNT");
  return detail::append_count(made, count);
}

}  // namespace seawall::cmd
