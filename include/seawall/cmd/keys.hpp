// Commands on keys of any type.
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

/// DEL: how many keys there were. A cluster client splits it.
template <key_argument... K>
command<std::int64_t> del(const K&... keys) {
  return builder{"DEL"}.keys(keys...);
}
/// UNLINK: as DEL; the server frees the memory in the background.
template <key_argument... K>
command<std::int64_t> unlink(const K&... keys) {
  return builder{"UNLINK"}.keys(keys...);
}
/// EXISTS: how many of the keys there are; a key named twice counts twice.
template <key_argument... K>
command<std::int64_t> exists(const K&... keys) {
  return builder{"EXISTS"}.keys(keys...);
}
/// TOUCH: how many of the keys there are; marks them as used.
template <key_argument... K>
command<std::int64_t> touch(const K&... keys) {
  return builder{"TOUCH"}.keys(keys...);
}

/// EXPIRE, or PEXPIRE unless `ttl` is whole seconds: whether the time to live was set. `ttl` is positive.
/// `when` needs Redis 7.0.
command<bool> expire(std::string_view key, duration ttl, expire_when when = expire_when::always);
/// PEXPIREAT: the same with a moment.
command<bool> expire_at(std::string_view key, server_time at, expire_when when = expire_when::always);
/// PERSIST: whether a time to live was taken away.
command<bool> persist(std::string_view key);
/// PTTL: what is left.
command<lifetime<duration>> ttl(std::string_view key);
/// PEXPIRETIME: the moment. Redis 7.0.
command<lifetime<server_time>> expire_time(std::string_view key);

/// TYPE: "string", "list", ..., "none" without such a key.
command<std::string> type(std::string_view key);
/// RENAME: an error without such a key; replaces `to`.
command<ok> rename(std::string_view from, std::string_view to);
/// RENAMENX: false if `to` exists.
command<bool> rename_if_absent(std::string_view from, std::string_view to);

struct copy_options {
  bool replace = false;                     ///< Also over an existing key.
  std::optional<std::int64_t> database{};   ///< Into another database.
};
static_assert(std::is_trivially_destructible_v<copy_options>);

/// COPY: false without such a key, or if `to` exists. Redis 6.2.
command<bool> copy(std::string_view from, std::string_view to, const copy_options& how = {});
/// DUMP: the value in the server's own format.
command<std::optional<std::string>> dump(std::string_view key);

struct restore_options {
  std::optional<duration> ex{};             ///< The time to live; none: endless.
  bool replace = false;                     ///< Also over an existing key, else the server answers BUSYKEY.
};
static_assert(std::is_trivially_destructible_v<restore_options>);

/// RESTORE: sets what DUMP answered.
command<ok> restore(std::string_view key, std::string_view dumped, const restore_options& how = {});
/// RANDOMKEY: nothing if the database is empty.
command<std::optional<std::string>> random_key();

/// OBJECT ENCODING, REFCOUNT, IDLETIME, FREQ: nothing without such a key.
command<std::optional<std::string>> object_encoding(std::string_view key);
command<std::optional<std::int64_t>> object_refcount(std::string_view key);
command<std::optional<std::int64_t>> object_idle_seconds(std::string_view key);
command<std::optional<std::int64_t>> object_frequency(std::string_view key);
/// MEMORY USAGE, in bytes; `samples` elements of an aggregate are looked at, 0: all.
command<std::optional<std::int64_t>> memory_usage(std::string_view key, std::optional<std::int64_t> samples = {});

struct sort_options {
  std::optional<std::string_view> by{};     ///< The pattern of keys that hold the weights; "nosort" keeps the order.
  std::int64_t offset = 0;
  std::optional<std::int64_t> count{};      ///< At most so many, from `offset` on.
  bool descending = false;
  bool alphabetically = false;              ///< By text, otherwise by number.
};
static_assert(std::is_trivially_destructible_v<sort_options>);

namespace detail {
builder sort_builder(const command_name& name, std::string_view key, const sort_options& how);
}  // namespace detail

/// SORT_RO: the elements of a list, set or sorted set in order. Redis 7.0.
template <class T = std::string>
command<std::vector<T>> sort(std::string_view key, const sort_options& how = {}) {
  return detail::sort_builder("SORT_RO", key, how);
}
/// SORT with STORE: the same into a list; its length.
command<std::int64_t> sort_store(std::string_view to, std::string_view key, const sort_options& how = {});

}  // namespace seawall::cmd
