#include "seawall/cmd/sorted_sets.hpp"

#include <cmath>

namespace seawall::cmd {
namespace detail {

builder& append_bound(builder& made, score_bound bound) {
  char digits[seawall::detail::max_number];
  const std::string_view number = seawall::detail::print_number(bound.score, digits);
  made.check(!std::isnan(bound.score), "a bound of the range is not a number (nan)");
  return bound.excluded ? made.text('(' + std::string{number}) : made.text(number);
}

builder& append_bound(builder& made, const text_bound& bound) {
  const bool open = bound.mark == '-' || bound.mark == '+';
  return made.text(bound.mark + (open ? std::string{} : std::string{bound.text}));
}

builder& append_range(builder& made, const zset_range& which, const zrange_options& how) {
  which.append(made, how.reverse);
  made.flag(which.kind() == zset_range::by::score, "BYSCORE").flag(which.kind() == zset_range::by::text, "BYLEX");
  made.flag(how.reverse, "REV");
  if (!how.count && how.offset == 0) return made;
  made.check(which.kind() != zset_range::by::rank, "offset and count need a range by score or text");
  made.check(how.offset >= 0 && how.count.value_or(0) >= 0, "offset and count must not be negative");
  return made.text("LIMIT").number(how.offset).number(how.count.value_or(-1));
}

builder& append_zadd_options(builder& made, const zadd_options& how) {
  switch (how.when) {
    case zadd_when::always: break;
    case zadd_when::absent: made.text("NX").effect(effect::write_once); break;
    case zadd_when::present: made.text("XX").effect(effect::write_once); break;
    case zadd_when::greater: made.text("GT"); break;
    case zadd_when::less: made.text("LT"); break;
  }
  return made.flag(how.count_changed, "CH");
}

builder& append_merge(builder& made, const zset_merge& how, std::size_t keys) {
  if (!how.weights.empty()) {
    made.check(how.weights.size() == keys, "there must be a weight for each key").text("WEIGHTS");
    for (const double weight : how.weights) made.real(weight);
  }
  if (how.aggregate == zset_aggregate::min) made.text("AGGREGATE").text("MIN");
  if (how.aggregate == zset_aggregate::max) made.text("AGGREGATE").text("MAX");
  return made;
}

std::string_view word_of(zset_end end) noexcept { return end == zset_end::min ? "MIN" : "MAX"; }

}  // namespace detail

void zset_range::append(builder& made, bool reverse) const {
  switch (by_) {
    case by::rank: made.number(first_).number(last_); break;
    case by::score:
      detail::append_bound(made, reverse ? max_ : min_);
      detail::append_bound(made, reverse ? min_ : max_);
      break;
    case by::text:
      detail::append_bound(made, reverse ? to_ : from_);
      detail::append_bound(made, reverse ? from_ : to_);
      break;
  }
}

command<std::int64_t> zrem_range(std::string_view key, const zset_range& which) {
  static constexpr command_name names[] = {"ZREMRANGEBYRANK", "ZREMRANGEBYSCORE", "ZREMRANGEBYLEX"};
  builder made{names[static_cast<int>(which.kind())]};
  made.key(key);
  which.append(made, false);
  return made;
}

command<std::int64_t> zcard(std::string_view key) { return builder{"ZCARD"}.key(key); }

command<std::int64_t> zcount(std::string_view key, const zset_range& which) {
  static constexpr command_name names[] = {"ZCOUNT", "ZCOUNT", "ZLEXCOUNT"};
  builder made{names[static_cast<int>(which.kind())]};
  made.key(key).check(which.kind() != zset_range::by::rank, "a count needs a range by score or text");
  which.append(made, false);
  return made;
}

command<std::int64_t> zrange_store(std::string_view to, std::string_view from, const zset_range& which,
                                   const zrange_options& how) {
  builder made{"ZRANGESTORE"};
  return detail::append_range(made.key(to).key(from), which, how).effect_if(to == from, effect::write_once);
}

}  // namespace seawall::cmd
