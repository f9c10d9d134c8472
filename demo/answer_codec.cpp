#include "answer_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace seawall::demo {
namespace {

constexpr std::array<std::string_view, request_kinds> key_names{"product", "user", "order", "orders", "dashboard"};

template <class T>
bool parse(std::string_view digits, T& out) {
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return problem == std::errc{} && end == digits.data() + digits.size();
}

/// Cuts off what stands before the first ':'.
std::string_view first_part(std::string_view& rest) {
  const std::size_t colon = std::min(rest.find(':'), rest.size());
  const std::string_view part = rest.substr(0, colon);
  rest.remove_prefix(std::min(colon + 1, rest.size()));
  return part;
}

}  // namespace
}  // namespace seawall::demo

void seawall::codec<seawall::demo::request_key>::encode(const seawall::demo::request_key& key, std::string& out) {
  using namespace seawall::demo;
  fmt::format_to(std::back_inserter(out), "{}:{}", key_names[static_cast<std::size_t>(key.kind)], key.id);
  if (key.kind == request_kind::order_list) fmt::format_to(std::back_inserter(out), ":{}", key.page);
}

seawall::result<seawall::demo::request_key> seawall::codec<seawall::demo::request_key>::decode(std::string_view bytes) {
  using namespace seawall::demo;
  std::string_view rest = bytes;
  const auto* name = std::find(key_names.begin(), key_names.end(), first_part(rest));
  request_key key{static_cast<request_kind>(name - key_names.begin()), 0, 0};
  bool well = name != key_names.end() && parse(first_part(rest), key.id);
  if (well && key.kind == request_kind::order_list) well = parse(first_part(rest), key.page);
  // One key has one spelling.
  std::string spelled;
  if (well) encode(key, spelled);
  if (!well || spelled != bytes) return undecodable("a key of the shop", bytes);
  return key;
}
