#include "seawall/base/tokens.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "printable.hpp"
#include "seawall/base/codec.hpp"
#include "seawall/base/shape.hpp"

namespace seawall::detail {

std::string without_namespaces(const std::string& name) {
  const std::size_t colons = name.find('<') == std::string::npos ? name.rfind("::") : std::string::npos;
  return colons == std::string::npos ? name : name.substr(colons + 2);
}

bool token_reader::get_run(token_kind kind, std::string_view& out) const {
  if (next_->kind != kind) return false;
  out = {next_->begin, next_->size};
  return true;
}

bool token_reader::get(bool& out) const {
  if (next_->kind != token_kind::boolean) return false;
  out = next_->boolean;
  return true;
}

bool token_reader::get(std::int64_t& out) const {
  std::string_view digits;
  if (get_digits(digits)) return parse_number(digits, out);
  if (next_->kind != token_kind::integer) return false;
  out = next_->integer;
  return true;
}

bool token_reader::get(std::uint64_t& out) const {
  std::string_view digits;
  if (get_digits(digits)) return parse_number(digits, out);
  if (next_->kind == token_kind::unsigned_integer) {
    out = next_->unsigned_integer;
    return true;
  }
  if (next_->kind != token_kind::integer || next_->integer < 0) return false;
  out = static_cast<std::uint64_t>(next_->integer);
  return true;
}

template <class T>
bool token_reader::get_real(T& out) const {
  std::string_view text;
  if (get_digits(text)) return parse_number(text, out);
  if (next_->kind == token_kind::real) {
    out = static_cast<T>(next_->real);
    return std::isfinite(out) || !std::isfinite(next_->real);
  }
  if (next_->kind == token_kind::integer) {
    out = static_cast<T>(next_->integer);
    return true;
  }
  if (next_->kind == token_kind::unsigned_integer) {
    out = static_cast<T>(next_->unsigned_integer);
    return true;
  }
  if (!numbers_as_text_ || !get_text(text)) return false;
  if (text == "NaN") out = std::numeric_limits<T>::quiet_NaN();
  else if (text == "Infinity") out = std::numeric_limits<T>::infinity();
  else if (text == "-Infinity") out = -std::numeric_limits<T>::infinity();
  else return false;
  return true;
}

bool token_reader::get(double& out) const { return get_real(out); }
bool token_reader::get(float& out) const { return get_real(out); }

void token_reader::skip() {
  for (std::uint64_t pending = 1; pending > 0; --pending, ++next_) {
    if (next_->kind == token_kind::list) pending += next_->size;
    if (next_->kind == token_kind::map) pending += std::uint64_t{next_->size} * 2;
  }
}

std::string token_reader::found() const {
  switch (next_->kind) {
    case token_kind::null: return "null";
    case token_kind::boolean: return next_->boolean ? "true" : "false";
    case token_kind::integer: return fmt::format("{}", next_->integer);
    case token_kind::unsigned_integer: return fmt::format("{}", next_->unsigned_integer);
    case token_kind::real: return fmt::format("{}", next_->real);
    case token_kind::text: return printable({next_->begin, next_->size});
    case token_kind::bytes: return fmt::format("{} bytes", next_->size);
    case token_kind::list: return fmt::format("an array of {}", next_->size);
    case token_kind::map: return fmt::format("a map of {}", next_->size);
    case token_kind::other: return "an extension type";
    case token_kind::digits: break;
  }
  const std::string shown = printable({next_->begin, next_->size});
  return shown.ends_with('"') ? shown.substr(1, shown.size() - 2) : shown;
}

bool token_reader::unexpected(std::string_view type) { return refuse(type, "found " + found()); }

bool token_reader::refuse(std::string_view type, std::string_view why) {
  type_ = type;
  why_ = why;
  return false;
}

bool token_reader::missing(std::string_view member) {
  refuse({}, "it is missing");
  return inside_member(member);
}

bool token_reader::inside_member(std::string_view name) {
  path_.insert(0, fmt::format(".{}", name));
  return false;
}

bool token_reader::inside_key(std::string_view key) {
  path_.insert(0, fmt::format("[{}]", printable(key)));
  return false;
}

bool token_reader::inside_element(std::size_t index) {
  path_.insert(0, fmt::format("[{}]", index));
  return false;
}

std::string token_reader::message(std::string_view root) const {
  // The type of the whole value is its root's name.
  const bool said = path_.empty() || type_.empty();
  return fmt::format("cannot read {}{}{}{}: {}", root, path_, said ? "" : " as ", said ? "" : type_, why_);
}

}  // namespace seawall::detail
