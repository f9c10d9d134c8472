#include "record_keys.hpp"

#include <array>
#include <charconv>

namespace seawall::tier {
namespace {

constexpr int base = 36;

std::string text_of(std::uint32_t number) {
  std::array<char, 8> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number, base).ptr;
  return {text.data(), end};
}

// For each slot, the smallest number whose text lies in it.
std::vector<std::uint32_t> find_tags() {
  std::vector<std::uint32_t> tags(redis::slot_count);
  std::size_t missing = redis::slot_count;
  for (std::uint32_t number = 1; missing != 0; ++number) {
    std::uint32_t& here = tags[redis::slot_of(text_of(number))];
    if (here != 0) continue;
    here = number;
    --missing;
  }
  return tags;
}

}  // namespace

std::string slot_tag(redis::slot_number slot) {
  static const std::vector<std::uint32_t> tags = find_tags();
  return text_of(tags[slot]);
}

std::vector<std::string> record_keys::tag_keys(std::string_view prefix, std::uint64_t tag) const {
  if (!divided_ || tag != 0) return {tag_key_of(prefix, tag)};
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < redis::slot_count / slots_of_part; ++i) parts.push_back(part(prefix, i));
  return parts;
}

}  // namespace seawall::tier
