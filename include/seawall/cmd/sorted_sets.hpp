// Commands on sorted sets. Members go through codec<T>; scores are doubles. Results with scores are scored<T>.
// Thread safety: pure functions.
#pragma once

#include "seawall/cmd/builder.hpp"
#include "seawall/cmd/zset_range.hpp"

#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::cmd {

/// Which members a ZADD touches.
enum class zadd_when : std::uint8_t {
  always,
  absent,   ///< NX: only new members.
  present,  ///< XX: only members that are there.
  greater,  ///< GT: new ones, and those whose score grows. Redis 6.2.
  less,     ///< LT: new ones, and those whose score shrinks. Redis 6.2.
};

struct zadd_options {
  zadd_when when = zadd_when::always;
  bool count_changed = false;   ///< CH: the answer counts changed members too, not only new ones.
};
static_assert(std::is_trivially_destructible_v<zadd_options>);

/// How ZUNION and ZINTER make one score of several.
enum class zset_aggregate : std::uint8_t { sum, min, max };

/// `weights`: a factor for each key, or none.
struct zset_merge {
  std::span<const double> weights{};
  zset_aggregate aggregate = zset_aggregate::sum;
};
static_assert(std::is_trivially_destructible_v<zset_merge>);

/// An end of a sorted set.
enum class zset_end : std::uint8_t { min, max };

namespace detail {

template <class M>
inline constexpr bool is_scored = false;
template <class T>
inline constexpr bool is_scored<scored<T>> = true;

/// A member with its score: scored<T>, or a pair of both.
template <class M>
concept scored_member = is_scored<M> || (argument_pair<M> && std::is_arithmetic_v<std::tuple_element_t<1, M>>);

builder& append_zadd_options(builder& made, const zadd_options& how);
builder& append_merge(builder& made, const zset_merge& how, std::size_t keys);
std::string_view word_of(zset_end end) noexcept;

template <class M>
void append_scored(builder& made, const M& one) {
  if constexpr (is_scored<M>) made.real(one.score).value(one.member);
  else made.real(static_cast<double>(std::get<1>(one))).value(std::get<0>(one));
}

/// The first of a list, which is empty without such a key.
template <class T>
result<std::optional<scored<T>>> read_first_scored(resp::view reply) {
  auto all = decode<std::vector<scored<T>>>(reply);
  if (!all) return std::unexpected(std::move(all.error()));
  if (all->empty()) return std::nullopt;
  return std::optional{std::move(all->front())};
}

template <key_argument K>
builder merge_builder(const command_name& name, const K& keys, const zset_merge& how) {
  builder made{name};
  made.counted_keys(keys);
  append_merge(made, how, static_cast<std::size_t>(count_of(keys)));
  return made;
}

template <key_argument K>
builder merge_store_builder(const command_name& name, std::string_view to, const K& keys, const zset_merge& how) {
  builder made{name};
  made.key(to).counted_keys(keys);
  append_merge(made, how, static_cast<std::size_t>(count_of(keys)));
  return made;
}

}  // namespace detail

/// ZADD: how many are new.
template <detail::argument V>
command<std::int64_t> zadd(std::string_view key, const V& member, double score, const zadd_options& how = {}) {
  builder made{"ZADD"};
  return detail::append_zadd_options(made.key(key), how).real(score).value(member);
}
/// The same for a range of scored<T>, or of pairs of member and score.
template <std::ranges::input_range R>
  requires detail::scored_member<std::ranges::range_value_t<R>>
command<std::int64_t> zadd(std::string_view key, const R& members, const zadd_options& how = {}) {
  builder made{"ZADD"};
  detail::append_zadd_options(made.key(key), how);
  const std::size_t before = made.size();
  for (const auto& one : members) detail::append_scored(made, one);
  return made.check_some(before, "no member was given");
}
/// ZINCRBY: the score afterwards.
template <detail::argument V>
command<double> zincr_by(std::string_view key, double by, const V& member) {
  return builder{"ZINCRBY"}.key(key).real(by).value(member);
}
/// ZADD with INCR: the score afterwards; nothing if the condition was not met.
template <detail::argument V>
command<std::optional<double>> zadd_incr(std::string_view key, double by, const V& member, zadd_when when) {
  builder made{"ZADD"};
  detail::append_zadd_options(made.key(key), {.when = when}).text("INCR").real(by).value(member);
  return made.effect(effect::write_once);
}
/// ZREM: how many there were.
template <value_argument... V>
command<std::int64_t> zrem(std::string_view key, const V&... members) {
  return builder{"ZREM"}.key(key).values(members...);
}
/// ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX: how many there were.
command<std::int64_t> zrem_range(std::string_view key, const zset_range& which);

/// ZCARD
command<std::int64_t> zcard(std::string_view key);
/// ZCOUNT, ZLEXCOUNT: how many members lie in a range by score or text.
command<std::int64_t> zcount(std::string_view key, const zset_range& which);
/// ZSCORE; nothing if it is no member.
template <detail::argument V>
command<std::optional<double>> zscore(std::string_view key, const V& member) {
  return builder{"ZSCORE"}.key(key).value(member);
}
/// ZMSCORE: one answer for each. Redis 6.2.
template <value_argument... V>
command<std::vector<std::optional<double>>> zmscore(std::string_view key, const V&... members) {
  return builder{"ZMSCORE"}.key(key).values(members...);
}
/// ZRANK, ZREVRANK: the place, 0 being the lowest (highest) score.
template <detail::argument V>
command<std::optional<std::int64_t>> zrank(std::string_view key, const V& member) {
  return builder{"ZRANK"}.key(key).value(member);
}
template <detail::argument V>
command<std::optional<std::int64_t>> zrevrank(std::string_view key, const V& member) {
  return builder{"ZREVRANK"}.key(key).value(member);
}

/// ZRANGE: the members of a range. Redis 6.2.
template <class T = std::string>
command<std::vector<T>> zrange(std::string_view key, const zset_range& which, const zrange_options& how = {}) {
  builder made{"ZRANGE"};
  return detail::append_range(made.key(key), which, how);
}
template <class T = std::string>
command<std::vector<scored<T>>> zrange_with_scores(std::string_view key, const zset_range& which,
                                                   const zrange_options& how = {}) {
  builder made{"ZRANGE"};
  return detail::append_range(made.key(key), which, how).text("WITHSCORES");
}
/// ZRANGESTORE: into `to`; how many.
command<std::int64_t> zrange_store(std::string_view to, std::string_view from, const zset_range& which,
                                   const zrange_options& how = {});
/// ZRANDMEMBER: so many different members; negative: -count, perhaps the same again. Redis 6.2.
template <class T = std::string>
command<std::vector<T>> zrandmember(std::string_view key, std::int64_t count = 1) {
  return builder{"ZRANDMEMBER"}.key(key).number(count);
}
template <class T = std::string>
command<std::vector<scored<T>>> zrandmember_with_scores(std::string_view key, std::int64_t count = 1) {
  return builder{"ZRANDMEMBER"}.key(key).number(count).text("WITHSCORES");
}

/// ZPOPMIN, ZPOPMAX: takes the member with the lowest (highest) score; nothing if there is none.
template <class T = std::string>
command<std::optional<scored<T>>> zpopmin(std::string_view key) {
  return builder{"ZPOPMIN"}.key(key).with(&detail::read_first_scored<T>);
}
template <class T = std::string>
command<std::optional<scored<T>>> zpopmax(std::string_view key) {
  return builder{"ZPOPMAX"}.key(key).with(&detail::read_first_scored<T>);
}
/// Takes up to `count`.
template <class T = std::string>
command<std::vector<scored<T>>> zpopmin(std::string_view key, std::int64_t count) {
  return builder{"ZPOPMIN"}.key(key).number(count).check(count >= 0, "the count must not be negative");
}
template <class T = std::string>
command<std::vector<scored<T>>> zpopmax(std::string_view key, std::int64_t count) {
  return builder{"ZPOPMAX"}.key(key).number(count).check(count >= 0, "the count must not be negative");
}
/// ZMPOP: up to `count` from the first sorted set that has some, with its key. Redis 7.0.
template <class T = std::string, key_argument K>
command<std::optional<std::pair<std::string, std::vector<scored<T>>>>> zmpop(const K& keys, zset_end end,
                                                                             std::int64_t count = 1) {
  builder made{"ZMPOP"};
  made.counted_keys(keys).text(detail::word_of(end)).text("COUNT").number(count);
  return made.check(count > 0, "the count must be positive");
}
/// BZPOPMIN, BZPOPMAX: waits for a member; key, member and score; nothing when the wait is over (see lists.hpp).
template <class T = std::string, key_argument K>
command<std::optional<std::tuple<std::string, T, double>>> bzpopmin(const K& keys, duration wait) {
  return builder{"BZPOPMIN"}.keys(keys).wait_seconds(wait);
}
template <class T = std::string, key_argument K>
command<std::optional<std::tuple<std::string, T, double>>> bzpopmax(const K& keys, duration wait) {
  return builder{"BZPOPMAX"}.keys(keys).wait_seconds(wait);
}
/// BZMPOP: as ZMPOP, waits for a member. Redis 7.0.
template <class T = std::string, key_argument K>
command<std::optional<std::pair<std::string, std::vector<scored<T>>>>> bzmpop(const K& keys, zset_end end,
                                                                              duration wait, std::int64_t count = 1) {
  builder made{"BZMPOP"};
  made.wait_seconds(wait).counted_keys(keys).text(detail::word_of(end)).text("COUNT").number(count);
  return made.check(count > 0, "the count must be positive");
}

/// ZUNION, ZINTER, ZDIFF: `keys` is a range of keys or names("a", "b"). Redis 6.2.
template <class T = std::string, key_argument K>
command<std::vector<scored<T>>> zunion(const K& keys, const zset_merge& how = {}) {
  return detail::merge_builder("ZUNION", keys, how).text("WITHSCORES");
}
template <class T = std::string, key_argument K>
command<std::vector<scored<T>>> zinter(const K& keys, const zset_merge& how = {}) {
  return detail::merge_builder("ZINTER", keys, how).text("WITHSCORES");
}
template <class T = std::string, key_argument K>
command<std::vector<scored<T>>> zdiff(const K& keys) {
  return builder{"ZDIFF"}.counted_keys(keys).text("WITHSCORES");
}
/// ZUNIONSTORE, ZINTERSTORE, ZDIFFSTORE: into `to`; how many.
template <key_argument K>
command<std::int64_t> zunion_store(std::string_view to, const K& keys, const zset_merge& how = {}) {
  return detail::merge_store_builder("ZUNIONSTORE", to, keys, how);
}
template <key_argument K>
command<std::int64_t> zinter_store(std::string_view to, const K& keys, const zset_merge& how = {}) {
  return detail::merge_store_builder("ZINTERSTORE", to, keys, how);
}
template <key_argument K>
command<std::int64_t> zdiff_store(std::string_view to, const K& keys) {
  return builder{"ZDIFFSTORE"}.key(to).counted_keys(keys);
}
/// ZINTERCARD: how many members all share; counts up to `limit`, 0: all. Redis 7.0.
template <key_argument K>
command<std::int64_t> zintercard(const K& keys, std::int64_t limit = 0) {
  builder made{"ZINTERCARD"};
  made.counted_keys(keys).check(limit >= 0, "the limit must not be negative");
  return limit == 0 ? made : made.text("LIMIT").number(limit);
}

}  // namespace seawall::cmd
