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

// Where the key's own hash tag ends, if it has one, behind it; else the whole key becomes the tag. Of a key with a
// brace that closes nothing, no longer name can be in its slot.
std::string sibling_key_of(std::string_view key, std::string_view suffix) {
  std::string made;
  const std::size_t open = key.find('{');
  const std::size_t close = key.find('}', open == std::string_view::npos ? 0 : open);
  const bool tagged = open != std::string_view::npos && close != std::string_view::npos && close > open + 1;
  if (tagged || key.find('}') != std::string_view::npos) return made.append(key).append(suffix);
  return made.append("{").append(key).append("}").append(suffix);
}

}  // namespace

std::string lock_key_of(std::string_view key) { return sibling_key_of(key, ":r"); }
std::string lease_key_of(std::string_view key) { return sibling_key_of(key, ":l"); }

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
