// Commands on strings as arrays of bits, and on HyperLogLogs.
// Thread safety: pure functions.
#pragma once

#include "seawall/cmd/builder.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace seawall::cmd {

/// GETBIT, SETBIT: the bit at `offset`, 0 to 2^32 - 1, before the command.
command<bool> getbit(std::string_view key, std::int64_t offset);
command<bool> setbit(std::string_view key, std::int64_t offset, bool bit);

/// Bytes (or bits) `first` to `last`, both included; negative: counted from the end. Bits need Redis 7.0.
struct bit_range {
  std::int64_t first = 0;
  std::int64_t last = -1;
  bool in_bits = false;
};
static_assert(std::is_trivially_destructible_v<bit_range>);

/// BITCOUNT: how many bits are set.
command<std::int64_t> bitcount(std::string_view key, std::optional<bit_range> where = {});
/// BITPOS: the first bit that is `bit`; nothing if there is none.
command<std::optional<std::int64_t>> bitpos(std::string_view key, bool bit, std::optional<bit_range> where = {});

enum class bit_operation : std::uint8_t { and_, or_, xor_, not_ };

namespace detail {
std::string_view word_of(bit_operation what) noexcept;
}  // namespace detail

/// BITOP: into `to`; the length of the result in bytes. not_ takes one key.
template <key_argument... K>
command<std::int64_t> bitop(bit_operation what, std::string_view to, const K&... keys) {
  builder made{"BITOP"};
  made.text(detail::word_of(what)).key(to).keys(keys...);
  return made.check(what != bit_operation::not_ || made.size() == 4, "NOT takes one key");
}

/// One number of a BITFIELD. `type` is "u8", "i16", ...; `offset` counts bits, or numbers of the type if `indexed`.
struct bitfield_step {
  enum class verb : std::uint8_t { get, set, incr_by };
  enum class overflow : std::uint8_t { wrap, saturate, fail };

  verb what = verb::get;
  std::string_view type = "u8";
  std::int64_t offset = 0;
  bool indexed = false;
  std::int64_t value = 0;                    ///< To set, or to add.
  overflow on_overflow = overflow::wrap;     ///< `fail`: the answer of this step is nothing.
};
static_assert(std::is_trivially_destructible_v<bitfield_step>);

/// BITFIELD: one answer for each step: get the number, set the number before, incr_by the number afterwards.
command<std::vector<std::optional<std::int64_t>>> bitfield(std::string_view key, std::span<const bitfield_step> steps);

/// PFADD: whether the estimate may have changed.
template <value_argument... V>
command<bool> pfadd(std::string_view key, const V&... elements) {
  return builder{"PFADD"}.key(key).values(elements...);
}
/// PFCOUNT: about how many different elements all together have.
template <key_argument... K>
command<std::int64_t> pfcount(const K&... keys) {
  return builder{"PFCOUNT"}.keys(keys...);
}
/// PFMERGE: into `to`, what it has included.
template <key_argument... K>
command<ok> pfmerge(std::string_view to, const K&... keys) {
  return builder{"PFMERGE"}.key(to).keys(keys...);
}

}  // namespace seawall::cmd
