#include "seawall/msgpack.hpp"

#include <array>
#include <bit>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include <fmt/format.h>

namespace seawall::detail {
namespace {

/// What begins a value, by the format table of the specification. Those with "fix" hold the size or the value itself.
enum lead : unsigned char {
  fixmap = 0x80, fixarray = 0x90, fixstr = 0xa0, nil = 0xc0, never_used = 0xc1, no = 0xc2, yes = 0xc3,
  bin8 = 0xc4, bin16, bin32, ext8 = 0xc7, ext16, ext32, float32 = 0xca, float64,
  uint8 = 0xcc, uint16, uint32, uint64, int8 = 0xd0, int16, int32, int64,
  fixext1 = 0xd4, fixext16 = 0xd8, str8 = 0xd9, str16, str32, array16 = 0xdc, array32, map16 = 0xde, map32,
  negative_fixint = 0xe0,
};

template <class T>
void put(std::string& out, unsigned char first, T value) {
  static_assert(std::is_unsigned_v<T>);
  char bytes[1 + sizeof(T)];
  bytes[0] = static_cast<char>(first);
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[sizeof(T) - i] = static_cast<char>((value >> (8 * i)) & 0xff);
  out.append(bytes, sizeof(bytes));
}

/// The leads of one family follow each other: 8 bits (if it has them), 16 bits, 32 bits.
void put_size(std::string& out, std::size_t size, unsigned char lead16, bool has_8_bits) {
  if (has_8_bits && size <= 0xff) put(out, static_cast<unsigned char>(lead16 - 1), static_cast<std::uint8_t>(size));
  else if (size <= 0xffff) put(out, lead16, static_cast<std::uint16_t>(size));
  else if (size <= 0xffffffff) put(out, static_cast<unsigned char>(lead16 + 1), static_cast<std::uint32_t>(size));
  else throw std::length_error("MessagePack: a size beyond 2^32 - 1");
}

class msgpack_parser {
 public:
  msgpack_parser(std::string_view bytes, token_tape& tape) : bytes_(bytes), tape_(tape) {}

  bool run() {
    std::array<std::uint64_t, max_nesting> remaining{};  // values that the open arrays and maps still lack
    std::size_t depth = 0;
    do {
      if (!read_token()) return false;
      const token& read = tape_.tokens.back();
      const bool opens = read.kind == token_kind::list || read.kind == token_kind::map;
      if (opens && depth == remaining.size()) return fail_with(fmt::format("nested deeper than {}", max_nesting));
      if (opens && read.size > 0) {
        remaining[depth++] = read.kind == token_kind::map ? std::uint64_t{read.size} * 2 : read.size;
        continue;
      }
      while (depth > 0 && --remaining[depth - 1] == 0) --depth;
    } while (depth > 0);
    if (at_ == bytes_.size()) return true;
    return fail_with(fmt::format("{} more bytes after the value", bytes_.size() - at_));
  }

 private:
  bool fail_with(std::string_view why) {
    tape_.problem = fmt::format("as MessagePack: {}", why);
    return false;
  }
  bool ends_early() { return fail_with(fmt::format("ends early, after {} bytes", bytes_.size())); }

  token& add(token_kind kind) {
    token& added = tape_.tokens.emplace_back();
    added.kind = kind;
    return added;
  }

  /// A big-endian number; what is negative in T stays so.
  template <class T>
  bool take(T& out) {
    if (bytes_.size() - at_ < sizeof(T)) return ends_early();
    std::make_unsigned_t<T> value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value = static_cast<std::make_unsigned_t<T>>(std::uint64_t{value} << 8 |
                                                   static_cast<unsigned char>(bytes_[at_ + i]));
    }
    at_ += sizeof(T);
    out = static_cast<T>(value);
    return true;
  }

  template <class T>
  bool add_unsigned() {
    T value = 0;
    if (!take(value)) return false;
    add(token_kind::unsigned_integer).unsigned_integer = value;
    normalize();
    return true;
  }

  /// Readers ask for one kind of small number only.
  void normalize() {
    token& last = tape_.tokens.back();
    if (last.unsigned_integer > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return;
    last.kind = token_kind::integer;
    last.integer = static_cast<std::int64_t>(last.unsigned_integer);
  }

  template <class T>
  bool add_signed() {
    T value = 0;
    if (!take(value)) return false;
    add(token_kind::integer).integer = value;
    return true;
  }

  template <class Real, class Bits>
  bool add_real() {
    Bits bits = 0;
    if (!take(bits)) return false;
    add(token_kind::real).real = std::bit_cast<Real>(bits);
    return true;
  }

  bool add_run(token_kind kind, std::uint64_t size) {
    if (bytes_.size() - at_ < size) return ends_early();
    token& added = add(kind);
    added.size = static_cast<std::uint32_t>(size);
    added.begin = bytes_.data() + at_;
    at_ += size;
    return true;
  }

  template <class Size>
  bool add_sized_run(token_kind kind) {
    Size size = 0;
    return take(size) && add_run(kind, size);
  }

  /// The type of an extension comes between its size and its bytes.
  bool add_extension(std::uint64_t size) { return add_run(token_kind::other, size + 1); }
  template <class Size>
  bool add_sized_extension() {
    Size size = 0;
    return take(size) && add_extension(size);
  }

  bool add_container(token_kind kind, std::uint32_t size) {
    add(kind).size = size;
    return true;
  }
  template <class Size>
  bool add_sized_container(token_kind kind) {
    Size size = 0;
    return take(size) && add_container(kind, size);
  }

  bool read_token() {
    std::uint8_t first = 0;
    if (!take(first)) return false;
    if (first < fixmap || first >= negative_fixint) {
      add(token_kind::integer).integer = static_cast<std::int8_t>(first);
      return true;
    }
    if (first < fixarray) return add_container(token_kind::map, first - fixmap);
    if (first < fixstr) return add_container(token_kind::list, first - fixarray);
    if (first < nil) return add_run(token_kind::text, first - fixstr);
    return read_rest(first);
  }

  bool read_rest(std::uint8_t first) {
    switch (first) {
      case nil: add(token_kind::null); return true;
      case no:
      case yes: add(token_kind::boolean).boolean = first == yes; return true;
      case bin8: return add_sized_run<std::uint8_t>(token_kind::bytes);
      case bin16: return add_sized_run<std::uint16_t>(token_kind::bytes);
      case bin32: return add_sized_run<std::uint32_t>(token_kind::bytes);
      case ext8: return add_sized_extension<std::uint8_t>();
      case ext16: return add_sized_extension<std::uint16_t>();
      case ext32: return add_sized_extension<std::uint32_t>();
      case float32: return add_real<float, std::uint32_t>();
      case float64: return add_real<double, std::uint64_t>();
      case uint8: return add_unsigned<std::uint8_t>();
      case uint16: return add_unsigned<std::uint16_t>();
      case uint32: return add_unsigned<std::uint32_t>();
      case uint64: return add_unsigned<std::uint64_t>();
      case int8: return add_signed<std::int8_t>();
      case int16: return add_signed<std::int16_t>();
      case int32: return add_signed<std::int32_t>();
      case int64: return add_signed<std::int64_t>();
      case str8: return add_sized_run<std::uint8_t>(token_kind::text);
      case str16: return add_sized_run<std::uint16_t>(token_kind::text);
      case str32: return add_sized_run<std::uint32_t>(token_kind::text);
      case array16: return add_sized_container<std::uint16_t>(token_kind::list);
      case array32: return add_sized_container<std::uint32_t>(token_kind::list);
      case map16: return add_sized_container<std::uint16_t>(token_kind::map);
      case map32: return add_sized_container<std::uint32_t>(token_kind::map);
      case never_used: return fail_with(fmt::format("0xc1 at byte {} begins no value", at_ - 1));
      default: return add_extension(std::uint64_t{1} << (first - fixext1));
    }
  }

  const std::string_view bytes_;
  token_tape& tape_;
  std::size_t at_ = 0;
};

}  // namespace

void msgpack_writer::integer(std::int64_t value) {
  if (value >= 0) return integer(static_cast<std::uint64_t>(value));
  if (value >= -32) out_ += static_cast<char>(value);
  else if (value >= std::numeric_limits<std::int8_t>::min()) put(out_, int8, static_cast<std::uint8_t>(value));
  else if (value >= std::numeric_limits<std::int16_t>::min()) put(out_, int16, static_cast<std::uint16_t>(value));
  else if (value >= std::numeric_limits<std::int32_t>::min()) put(out_, int32, static_cast<std::uint32_t>(value));
  else put(out_, int64, static_cast<std::uint64_t>(value));
}

void msgpack_writer::integer(std::uint64_t value) {
  if (value < fixmap) out_ += static_cast<char>(value);
  else if (value <= 0xff) put(out_, uint8, static_cast<std::uint8_t>(value));
  else if (value <= 0xffff) put(out_, uint16, static_cast<std::uint16_t>(value));
  else if (value <= 0xffffffff) put(out_, uint32, static_cast<std::uint32_t>(value));
  else put(out_, uint64, value);
}

void msgpack_writer::real(double value) { put(out_, float64, std::bit_cast<std::uint64_t>(value)); }
void msgpack_writer::real(float value) { put(out_, float32, std::bit_cast<std::uint32_t>(value)); }

void msgpack_writer::text(std::string_view value) {
  if (value.size() < 32) out_ += static_cast<char>(fixstr | value.size());
  else put_size(out_, value.size(), str16, true);
  out_ += value;
}

void msgpack_writer::bytes(std::string_view value) {
  put_size(out_, value.size(), bin16, true);
  out_ += value;
}

void msgpack_writer::begin_list(std::size_t size) {
  if (size < 16) out_ += static_cast<char>(fixarray | size);
  else put_size(out_, size, array16, false);
}

void msgpack_writer::begin_map(std::size_t size) {
  if (size < 16) out_ += static_cast<char>(fixmap | size);
  else put_size(out_, size, map16, false);
}

bool parse_msgpack(std::string_view bytes, token_tape& tape) { return msgpack_parser{bytes, tape}.run(); }

}  // namespace seawall::detail
