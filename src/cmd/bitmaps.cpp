#include "seawall/cmd/bitmaps.hpp"

#include <string>

namespace seawall::cmd {
namespace {

constexpr const char* bad_offset = "the offset must not be negative";

void append_bit_range(builder& made, const std::optional<bit_range>& where) {
  if (!where) return;
  made.number(where->first).number(where->last).flag(where->in_bits, "BIT");
}

std::string_view word_of(bitfield_step::overflow what) {
  switch (what) {
    case bitfield_step::overflow::wrap: return "WRAP";
    case bitfield_step::overflow::saturate: return "SAT";
    case bitfield_step::overflow::fail: return "FAIL";
  }
  return "WRAP";
}

std::string_view word_of(bitfield_step::verb what) {
  switch (what) {
    case bitfield_step::verb::get: return "GET";
    case bitfield_step::verb::set: return "SET";
    case bitfield_step::verb::incr_by: return "INCRBY";
  }
  return "GET";
}

/// -1 is nothing.
result<std::optional<std::int64_t>> read_position(resp::view reply) {
  const auto at = decode<std::int64_t>(reply);
  if (!at) return std::unexpected(at.error());
  return *at >= 0 ? std::optional{*at} : std::nullopt;
}

}  // namespace

command<bool> getbit(std::string_view key, std::int64_t offset) {
  return builder{"GETBIT"}.key(key).number(offset).check(offset >= 0, bad_offset);
}
command<bool> setbit(std::string_view key, std::int64_t offset, bool bit) {
  return builder{"SETBIT"}.key(key).number(offset).value(bit).check(offset >= 0, bad_offset);
}

command<std::int64_t> bitcount(std::string_view key, std::optional<bit_range> where) {
  builder made{"BITCOUNT"};
  append_bit_range(made.key(key), where);
  return made;
}

command<std::optional<std::int64_t>> bitpos(std::string_view key, bool bit, std::optional<bit_range> where) {
  builder made{"BITPOS"};
  append_bit_range(made.key(key).value(bit), where);
  return made.with(&read_position);
}

std::string_view detail::word_of(bit_operation what) noexcept {
  switch (what) {
    case bit_operation::and_: return "AND";
    case bit_operation::or_: return "OR";
    case bit_operation::xor_: return "XOR";
    case bit_operation::not_: return "NOT";
  }
  return "AND";
}

command<std::vector<std::optional<std::int64_t>>> bitfield(std::string_view key, std::span<const bitfield_step> steps) {
  builder made{"BITFIELD"};
  made.key(key).check(!steps.empty(), "no step was given");
  bitfield_step::overflow now = bitfield_step::overflow::wrap;
  bool writes = false;
  for (const bitfield_step& step : steps) {
    const bool write = step.what != bitfield_step::verb::get;
    writes = writes || write;
    if (write && step.on_overflow != now) {
      now = step.on_overflow;
      made.text("OVERFLOW").text(word_of(now));
    }
    made.text(word_of(step.what)).text(step.type).check(step.offset >= 0, bad_offset);
    if (step.indexed) made.text('#' + std::to_string(step.offset));
    else made.number(step.offset);
    if (write) made.number(step.value);
  }
  return made.effect_if(!writes, effect::write_last);
}

}  // namespace seawall::cmd
