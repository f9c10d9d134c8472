#include "seawall/resp/view.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

namespace seawall::resp {
namespace {

const char* behind_line(const char* at) noexcept {
  while (*at != '\r') ++at;
  return at + 2;
}

template <class Number>
std::optional<Number> parsed(std::string_view text) noexcept {
  Number n{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

bool is_string(kind of) noexcept {
  return of == kind::bulk_string || of == kind::simple_string || of == kind::verbatim;
}

}  // namespace

const char* view::behind(const char* at) noexcept {
  for (std::size_t left = 1; left != 0;) {
    switch (*at) {
      case '$':
      case '!':
      case '=':
        --left;
        if (at[1] == '-') {
          at += 5;
        } else {
          const std::size_t length = count(++at);
          at += length + 2;
        }
        break;
      case '*':
      case '~':
      case '>':
      case '%':
        --left;
        if (at[1] == '-') {
          at += 5;
        } else {
          left += elements(at);
        }
        break;
      case '|': left += elements(at); break;  // its value is still to come
      default:
        --left;
        at = behind_line(at);
    }
  }
  return at;
}

const char* view::behind_attributes(const char* at) noexcept {
  for (std::size_t left = elements(at); left != 0; --left) at = behind(at);
  return at;
}

const char* view::described(const char* at, const char* end) noexcept {
  for (;;) {
    const char* const next = behind_attributes(at);
    if (next == end) return at;
    if (*next != '|') return next;
    at = next;
  }
}

std::string_view view::other_text() const noexcept {
  constexpr std::size_t format = 4;  // "txt:"
  const char* at = value_ + 1;
  switch (kind()) {
    case kind::simple_string:
    case kind::simple_error:
    case kind::integer:
    case kind::number:
    case kind::big_number: return {at, static_cast<std::size_t>(behind_line(at) - 2 - at)};
    case kind::bulk_error: {
      const std::size_t length = count(at);
      return {at, length};
    }
    case kind::verbatim: {
      const std::size_t length = count(at);
      return {at + format, length - format};
    }
    default: return {};
  }
}

std::string_view view::format() const noexcept {
  if (kind() != kind::verbatim) return {};
  const char* at = value_ + 1;
  count(at);
  return {at, 3};
}

std::optional<std::int64_t> view::other_integer() const noexcept {
  if (is_string(kind())) return parsed<std::int64_t>(text());
  if (kind() == kind::boolean) return value_[1] == 't' ? 1 : 0;
  return std::nullopt;
}

std::optional<double> view::number() const noexcept {
  if (kind() != kind::number && kind() != kind::integer && !is_string(kind())) return std::nullopt;
  std::string_view digits = text();
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  return parsed<double>(digits);
}

std::optional<bool> view::boolean() const noexcept {
  if (kind() == kind::boolean) return value_[1] == 't';
  if (kind() != kind::integer) return std::nullopt;
  const std::int64_t n = *integer();
  return n == 0 || n == 1 ? std::optional{n == 1} : std::nullopt;
}

view view::operator[](std::size_t index) const noexcept {
  const char* at = value_;
  if (index >= elements(at)) return {};
  for (; index != 0; --index) at = behind(at);
  return *iterator{at, 1};
}

view view::find(std::string_view key) const noexcept {
  if (kind() != kind::map && kind() != kind::array) return {};
  const char* at = value_;
  for (std::size_t pairs = elements(at) / 2; pairs != 0; --pairs) {
    const view name = *iterator{at, 1};
    at = behind(at);
    if (is_string(name.kind()) && name.text() == key) return *iterator{at, 1};
    at = behind(at);
  }
  return {};
}

view view::attributes() const noexcept {
  if (begin_ == value_) return {};
  const char* last = begin_;
  for (const char* next = behind_attributes(last); next != value_; next = behind_attributes(last)) last = next;
  return {last, last};
}

std::string_view view::raw() const noexcept {
  const char* const end = *value_ == '|' ? behind_attributes(value_) : behind(value_);
  return {begin_, static_cast<std::size_t>(end - begin_)};
}

}  // namespace seawall::resp
