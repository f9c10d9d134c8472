// Commands on streams and consumer groups. Field values go through codec<T>.
// Reads with `block` wait at the server, on a connection of their own; their timeout is counted on top.
// Thread safety: pure functions.
#pragma once

#include "seawall/cmd/builder.hpp"
#include "seawall/cmd/stream_types.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::cmd {

/// How a stream is cut: by length or by id; not both, and nothing by default.
struct stream_trim {
  std::optional<std::int64_t> max_length{};
  std::optional<std::string_view> min_id{};
  bool exact = false;                        ///< To the entry; otherwise about so, which is cheap.
  std::optional<std::int64_t> limit{};       ///< Removes so many at once at most; not with `exact`.
};
static_assert(std::is_trivially_destructible_v<stream_trim>);

struct xadd_options {
  std::string_view id = "*";                 ///< "*": the server's clock.
  stream_trim trim{};
};
static_assert(std::is_trivially_destructible_v<xadd_options>);

struct xread_options {
  std::optional<std::int64_t> count{};       ///< At most so many entries of each stream; positive.
  std::optional<duration> block{};           ///< Waits so long for an entry; seawall::forever: without end.
  bool no_ack = false;                       ///< XREADGROUP: entries count as acknowledged.
};
static_assert(std::is_trivially_destructible_v<xread_options>);

/// A stream to read, and the id behind which to read: "$" the newest, for groups ">" what nobody was given.
struct stream_position {
  std::string_view key;
  std::string_view after;
};

namespace detail {

builder& append_trim(builder& made, const stream_trim& how);
builder& append_xadd(builder& made, const xadd_options& how, bool create);
builder xread_builder(std::span<const stream_position> streams, const xread_options& how);
builder xreadgroup_builder(std::string_view group, std::string_view consumer, std::span<const stream_position> streams,
                           const xread_options& how);
builder xclaim_builder(std::string_view key, std::string_view group, std::string_view consumer, duration min_idle);
builder xautoclaim_builder(std::string_view key, std::string_view group, std::string_view consumer, duration min_idle,
                           std::string_view start, std::optional<std::int64_t> count);
builder& append_positive(builder& made, std::optional<std::int64_t> count);

}  // namespace detail

/// XADD: xadd("s", {}, "field", 1), or a range of pairs. The new id.
template <class... P>
command<std::string> xadd(std::string_view key, const xadd_options& how, const P&... pairs) {
  builder made{"XADD"};
  return detail::append_xadd(made.key(key), how, true).pairs(pairs...);
}
/// XADD with NOMKSTREAM: nothing if there is no such stream. Redis 6.2.
template <class... P>
command<std::optional<std::string>> xadd_if_present(std::string_view key, const xadd_options& how, const P&... pairs) {
  builder made{"XADD"};
  return detail::append_xadd(made.key(key), how, false).pairs(pairs...);
}
/// XLEN
command<std::int64_t> xlen(std::string_view key);
/// XDEL: how many entries there were.
template <key_argument... I>
command<std::int64_t> xdel(std::string_view key, const I&... ids) {
  return builder{"XDEL"}.key(key).keys(ids...);
}
/// XTRIM: how many entries were removed.
command<std::int64_t> xtrim(std::string_view key, const stream_trim& how);

/// XRANGE, XREVRANGE: the entries from `first` to `last`, both included; "(" before an id excludes it. XREVRANGE gives
/// the newest first; its bounds come in the same order.
template <class T = std::string>
command<std::vector<stream_entry<T>>> xrange(std::string_view key, std::string_view first = "-",
                                             std::string_view last = "+", std::optional<std::int64_t> count = {}) {
  builder made{"XRANGE"};
  return detail::append_positive(made.key(key).text(first).text(last), count);
}
template <class T = std::string>
command<std::vector<stream_entry<T>>> xrevrange(std::string_view key, std::string_view first = "-",
                                                std::string_view last = "+", std::optional<std::int64_t> count = {}) {
  builder made{"XREVRANGE"};
  return detail::append_positive(made.key(key).text(last).text(first), count);
}

/// XREAD: what came after `after`. Empty when the wait is over.
template <class T = std::string>
command<std::vector<stream_entry<T>>> xread(std::string_view key, std::string_view after,
                                            const xread_options& how = {}) {
  const stream_position one{key, after};
  return detail::xread_builder({&one, 1}, how).with(&detail::read_one_stream<T>);
}
/// The same of several streams; those without new entries are left out.
template <class T = std::string>
command<stream_batch<T>> xread(std::span<const stream_position> streams, const xread_options& how = {}) {
  return detail::xread_builder(streams, how);
}
/// XREADGROUP: gives entries to a consumer.
template <class T = std::string>
command<std::vector<stream_entry<T>>> xreadgroup(std::string_view group, std::string_view consumer,
                                                 std::string_view key, std::string_view after = ">",
                                                 const xread_options& how = {}) {
  const stream_position one{key, after};
  return detail::xreadgroup_builder(group, consumer, {&one, 1}, how).with(&detail::read_one_stream<T>);
}
template <class T = std::string>
command<stream_batch<T>> xreadgroup(std::string_view group, std::string_view consumer,
                                    std::span<const stream_position> streams, const xread_options& how = {}) {
  return detail::xreadgroup_builder(group, consumer, streams, how);
}

struct group_options {
  std::string_view after = "$";              ///< What the group is given first comes behind this id.
  bool make_stream = false;                  ///< Also where there is no stream.
};
static_assert(std::is_trivially_destructible_v<group_options>);

/// XGROUP CREATE: errc::busy_group if there is one of that name.
command<ok> xgroup_create(std::string_view key, std::string_view group, const group_options& how = {});
/// XGROUP SETID
command<ok> xgroup_set_id(std::string_view key, std::string_view group, std::string_view after);
/// XGROUP DESTROY: whether there was one.
command<bool> xgroup_destroy(std::string_view key, std::string_view group);
/// XGROUP CREATECONSUMER: whether it is new.
command<bool> xgroup_create_consumer(std::string_view key, std::string_view group, std::string_view consumer);
/// XGROUP DELCONSUMER: how many entries it had not acknowledged, which are lost to the group.
command<std::int64_t> xgroup_delete_consumer(std::string_view key, std::string_view group, std::string_view consumer);

/// XACK: how many were pending.
template <key_argument... I>
command<std::int64_t> xack(std::string_view key, std::string_view group, const I&... ids) {
  return builder{"XACK"}.key(key).text(group).keys(ids...);
}
/// XCLAIM: gives pending entries, idle for `min_idle` at least, to another consumer. `ids`: an id, a range, names(...).
template <class T = std::string, key_argument I>
command<std::vector<stream_entry<T>>> xclaim(std::string_view key, std::string_view group, std::string_view consumer,
                                             duration min_idle, const I& ids) {
  return detail::xclaim_builder(key, group, consumer, min_idle).keys(ids);
}
/// XAUTOCLAIM: the same for whatever is pending behind `start`. Redis 6.2.
template <class T = std::string>
command<claimed<T>> xautoclaim(std::string_view key, std::string_view group, std::string_view consumer,
                               duration min_idle, std::string_view start = "0-0",
                               std::optional<std::int64_t> count = {}) {
  return detail::xautoclaim_builder(key, group, consumer, min_idle, start, count);
}

/// XPENDING: what a group has not acknowledged, in sum.
command<pending_summary> xpending(std::string_view key, std::string_view group);

struct xpending_options {
  std::string_view first = "-";
  std::string_view last = "+";
  std::int64_t count = 100;                  ///< At most so many; positive.
  std::optional<std::string_view> consumer{};
  std::optional<duration> min_idle{};        ///< Redis 6.2.
};
static_assert(std::is_trivially_destructible_v<xpending_options>);

/// XPENDING with a range: the single entries.
command<std::vector<pending_entry>> xpending_entries(std::string_view key, std::string_view group,
                                                     const xpending_options& how = {});

/// XINFO STREAM, GROUPS, CONSUMERS.
command<stream_info> xinfo_stream(std::string_view key);
command<std::vector<group_info>> xinfo_groups(std::string_view key);
command<std::vector<consumer_info>> xinfo_consumers(std::string_view key, std::string_view group);

}  // namespace seawall::cmd
