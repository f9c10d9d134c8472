#include "capture_row_text.hpp"

#include "seawall/source/sql_error.hpp"

#include <fmt/format.h>

#include <utility>

namespace seawall::postgres {
namespace {

std::unexpected<error> not_as_text(std::string_view text, std::string_view why) {
  return sql::fail(sql::errc::mapping, fmt::format("{}: {}", sql::one_line(text, 80), why));
}

// One field from `at` on, up to the comma or the end of what holds it; `at` is beyond that if the field does not end.
std::optional<std::string> read_field(std::string_view text, std::size_t& at) {
  std::string made;
  bool quoted = false;
  bool any = false;
  for (; at < text.size() && (quoted || text[at] != ','); ++at) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    any = true;
    if (text[at] == '\\') {
      if (++at < text.size()) made += next;
    } else if (text[at] == '"' && quoted && next == '"') {
      made += '"';
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else {
      made += text[at];
    }
  }
  if (quoted) at = text.size() + 1;
  return any ? std::optional{std::move(made)} : std::nullopt;
}

result<row_fields> read_fields(std::string_view text, char open, char close) {
  if (text.size() < 2 || text.front() != open || text.back() != close) {
    return not_as_text(text, "not within its brackets");
  }
  const auto inner = text.substr(1, text.size() - 2);
  row_fields made;
  for (std::size_t at = 0;; ++at) {
    made.push_back(read_field(inner, at));
    if (at > inner.size()) return not_as_text(text, "it ends within a field");
    if (at == inner.size()) return made;
  }
}

}  // namespace

result<row_fields> fields_of_row(std::string_view text) { return read_fields(text, '(', ')'); }

result<std::vector<std::string>> elements_of_array(std::string_view text) {
  std::vector<std::string> made;
  if (text == "{}") return made;
  auto fields = read_fields(text, '{', '}');
  if (!fields) return std::unexpected(std::move(fields).error());
  for (auto& one : *fields) {
    if (!one) return not_as_text(text, "an element is empty");
    made.push_back(*std::move(one));
  }
  return made;
}

}  // namespace seawall::postgres
