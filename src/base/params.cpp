#include "seawall/base/params.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace seawall {
namespace {

// The first byte of every encoding. A change of the encoding needs another number: digests are stored in shared tiers.
constexpr char encoding_version = '\1';

template <class T>
void append_little_endian(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

void append_text(std::string& out, std::string_view text) {
  append_little_endian(out, std::uint64_t{text.size()});
  out += text;
}

}  // namespace

std::string params::canonical() const {
  std::vector<const entry*> sorted;
  sorted.reserve(entries_.size());
  for (const entry& e : entries_) sorted.push_back(&e);
  // Entries of one name stay in the order of adding, which is the order of their addresses.
  std::ranges::sort(sorted, [](const entry* a, const entry* b) { return std::tie(a->name, a) < std::tie(b->name, b); });

  std::string bytes(1, encoding_version);
  append_little_endian(bytes, std::uint64_t{sorted.size()});
  for (const entry* e : sorted) {
    append_text(bytes, e->name);
    bytes += e->value;
  }
  return bytes;
}

namespace detail {

void param_writer::integer(bool negative, std::uint64_t magnitude) {
  out_ += 'i';
  out_ += negative ? '-' : '+';
  append_little_endian(out_, magnitude);
}

void param_writer::number(double value) {
  std::uint64_t bits = std::bit_cast<std::uint64_t>(value);
  if (value == 0) bits = 0;
  if (std::isnan(value)) bits = 0x7ff8000000000000;
  out_ += 'd';
  append_little_endian(out_, bits);
}

void param_writer::text(std::string_view value) {
  out_ += 's';
  append_text(out_, value);
}

void param_writer::duration(std::int64_t seconds, std::uint32_t nanoseconds, char type) {
  out_ += type;
  append_little_endian(out_, static_cast<std::uint64_t>(seconds));
  append_little_endian(out_, nanoseconds);
}

void param_writer::object(const params& members) {
  out_ += 'o';
  out_ += members.canonical();
}

void param_writer::elements(char type, std::vector<std::string> encoded, bool sort) {
  if (sort) std::ranges::sort(encoded);
  out_ += type;
  append_little_endian(out_, std::uint64_t{encoded.size()});
  for (const std::string& element : encoded) out_ += element;
}

}  // namespace detail
}  // namespace seawall
