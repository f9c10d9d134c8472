// Ranges of sorted sets: by rank, by score, by text.
//
//     cmd::zrange("board", cmd::by_rank(0, 9), {.reverse = true})          // the ten best
//     cmd::zrange("board", cmd::by_score(100, cmd::exclusive(200)))
//     cmd::zrange("names", cmd::by_text(cmd::inclusive("a"), cmd::exclusive("b")))
#pragma once

#include "seawall/cmd/builder.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

namespace seawall::cmd {

/// An end of a range of scores; a number alone is included.
struct score_bound {
  double score = 0;
  bool excluded = false;

  constexpr score_bound(double included) noexcept : score(included) {}  // implicit: by_score(1, 2)
  constexpr score_bound(double at, bool exclude) noexcept : score(at), excluded(exclude) {}
};
inline constexpr double lowest_score = -std::numeric_limits<double>::infinity();
inline constexpr double highest_score = std::numeric_limits<double>::infinity();
constexpr score_bound exclusive(double score) noexcept { return {score, true}; }

/// An end of a range of members of equal score.
struct text_bound {
  char mark;               ///< '[' included, '(' excluded, '-' the first, '+' the last.
  std::string_view text{};
};
constexpr text_bound inclusive(std::string_view text) noexcept { return {'[', text}; }
constexpr text_bound exclusive(std::string_view text) noexcept { return {'(', text}; }
inline constexpr text_bound first_text{'-'};
inline constexpr text_bound last_text{'+'};

/// Which members of a sorted set; made by `by_rank`, `by_score` and `by_text`. Refers to the texts it was given.
class zset_range {
 public:
  enum class by : std::uint8_t { rank, score, text };

  constexpr zset_range(std::int64_t first, std::int64_t last) noexcept : by_(by::rank), first_(first), last_(last) {}
  constexpr zset_range(score_bound min, score_bound max) noexcept : by_(by::score), min_(min), max_(max) {}
  constexpr zset_range(text_bound min, text_bound max) noexcept : by_(by::text), from_(min), to_(max) {}

  constexpr by kind() const noexcept { return by_; }
  /// Both ends, the larger one first if `reverse` and not by rank: as ZRANGE wants it.
  void append(builder& made, bool reverse) const;

 private:
  by by_;
  std::int64_t first_ = 0;
  std::int64_t last_ = 0;
  score_bound min_{0};
  score_bound max_{0};
  text_bound from_{'-'};
  text_bound to_{'+'};
};
static_assert(std::is_trivially_destructible_v<zset_range>);

/// The members at places `first` to `last`, both included, 0 being the lowest score; negative: counted from the end.
constexpr zset_range by_rank(std::int64_t first, std::int64_t last) noexcept { return {first, last}; }
/// The members whose scores lie in between; the lower end comes first, whatever the direction.
constexpr zset_range by_score(score_bound min, score_bound max) noexcept { return {min, max}; }
/// The members between two texts, where all scores are equal.
constexpr zset_range by_text(text_bound min, text_bound max) noexcept { return {min, max}; }

struct zrange_options {
  bool reverse = false;                    ///< From high to low.
  std::int64_t offset = 0;                 ///< Leaves out so many; not by rank.
  std::optional<std::int64_t> count{};     ///< At most so many; not by rank.
};
static_assert(std::is_trivially_destructible_v<zrange_options>);

namespace detail {

builder& append_range(builder& made, const zset_range& which, const zrange_options& how);
builder& append_bound(builder& made, score_bound bound);
builder& append_bound(builder& made, const text_bound& bound);

}  // namespace detail
}  // namespace seawall::cmd
