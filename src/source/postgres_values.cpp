#include "postgres_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

namespace seawall::postgres {
namespace {

// From the server's catalog pg_type: built-in types have fixed numbers.
enum type : Oid {
  type_bool = 16,
  type_bytea = 17,
  type_int8 = 20,
  type_int2 = 21,
  type_int4 = 23,
  type_oid = 26,
  type_float4 = 700,
  type_float8 = 701,
  type_bytea_array = 1001,
};

// ---- to the server ----

std::string hex_of(std::string_view raw) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\\x";
  out.reserve(2 + 2 * raw.size());
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string_view view_of(const sql::bytes& raw) {
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

void quote(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

bool has_zero(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// The text form of an array. False for a text with a byte 0.
bool write_array(const sql::list& all, bool as_bytes, std::string& out) {
  out += '{';
  for (bool first = true; const sql::value& one : all) {
    if (!std::exchange(first, false)) out += ',';
    if (const auto* number = one.integer()) {
      out += fmt::format("{}", *number);
    } else if (const auto* real = one.real()) {
      out += fmt::format("{}", *real);
    } else if (const auto* text = one.text()) {
      if (!as_bytes && has_zero(*text)) return false;
      quote(as_bytes ? hex_of(*text) : *text, out);
    } else if (const auto* raw = one.blob()) {
      quote(hex_of(view_of(*raw)), out);
    } else if (const auto* inner = one.elements()) {
      if (!write_array(*inner, as_bytes, out)) return false;
    } else {
      out += "NULL";
    }
  }
  out += '}';
  return true;
}

// ---- from the server ----

template <class T>
bool parse(std::string_view text, T& out) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  return code == std::errc{} && end == text.data() + text.size();
}

sql::value cell(const PGresult* from, int row, int column) {
  if (PQgetisnull(from, row, column) != 0) return {};
  const std::string_view text{PQgetvalue(from, row, column), static_cast<std::size_t>(PQgetlength(from, row, column))};
  return value_of(PQftype(from, column), text);
}

constexpr std::array<std::string_view, 4> writing{"INSERT", "UPDATE", "DELETE", "MERGE"};

// The number in the tag of a SELECT is that of its rows, which have not changed.
std::int64_t changed_by(PGresult* answer) {
  const std::string_view tag = PQcmdStatus(answer);
  std::int64_t count = 0;
  const bool writes = std::ranges::any_of(writing, [&](std::string_view word) { return tag.starts_with(word); });
  return writes && parse(std::string_view{PQcmdTuples(answer)}, count) ? count : 0;
}

std::string_view after_comments(std::string_view text) {
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n("), text.size()));
    if (text.starts_with("--")) {
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    } else if (text.starts_with("/*")) {
      const auto end = text.find("*/");
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    } else {
      return text;
    }
  }
}

// The next word in upper case; `text` goes on behind it.
std::string next_word(std::string_view& text) {
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  std::string word;
  const auto* begin = std::ranges::find_if(text, letter);
  const auto* end = std::find_if_not(begin, text.end(), letter);
  for (const char c : std::string_view{begin, end}) {
    word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  return word;
}

}  // namespace

void parameters::add_text(std::string text) {
  kept_.push_back(std::move(text));
  values_.push_back(kept_.back().c_str());
  lengths_.push_back(0);
  formats_.push_back(0);
}

void parameters::add_raw(const char* begin, std::size_t size) {
  values_.push_back(size == 0 ? "" : begin);
  lengths_.push_back(static_cast<int>(size));
  formats_.push_back(1);
}

result<parameters> parameters::make(std::span<const sql::value> given, std::span<const Oid> types,
                                    std::string_view statement) {
  using sql::shortened;
  if (given.size() != types.size()) {
    return sql::fail(sql::errc::argument, fmt::format("\"{}\" has {} parameters, and {} arguments were given",
                                                      shortened(statement), types.size(), given.size()));
  }
  parameters made;
  for (std::size_t i = 0; i != given.size(); ++i) {
    const sql::value& one = given[i];
    bool sound = true;
    if (const auto* number = one.integer()) {
      made.add_text(fmt::format("{}", *number));
    } else if (const auto* real = one.real()) {
      made.add_text(fmt::format("{}", *real));
    } else if (const auto* text = one.text()) {
      // The text form of a bytea gives backslashes a meaning.
      if (types[i] == type_bytea) made.add_raw(text->data(), text->size());
      else if ((sound = !has_zero(*text))) made.add_text(*text);
    } else if (const auto* raw = one.blob()) {
      made.add_raw(view_of(*raw).data(), raw->size());
    } else if (const auto* all = one.elements()) {
      std::string array;
      sound = write_array(*all, types[i] == type_bytea_array, array);
      made.add_text(std::move(array));
    } else {
      made.values_.push_back(nullptr);
      made.lengths_.push_back(0);
      made.formats_.push_back(0);
    }
    if (!sound) {
      return sql::fail(sql::errc::argument, fmt::format("argument {} of \"{}\": a text of PostgreSQL cannot hold a "
                                                        "byte 0; bytea can", i + 1, shortened(statement)));
    }
  }
  return made;
}

sql::value value_of(Oid type, std::string_view text) {
  switch (type) {
    case type_bool: return {std::int64_t{text == "t"}};
    case type_int2:
    case type_int4:
    case type_int8:
    case type_oid:
      if (std::int64_t number = 0; parse(text, number)) return {number};
      break;
    case type_float4:  // its shortest form is exact for a float, not for a double
      if (float number = 0; parse(text, number)) return {static_cast<double>(number)};
      break;
    case type_float8:
      if (double number = 0; parse(text, number)) return {number};
      break;
    case type_bytea: {
      std::size_t size = 0;
      const std::string ended{text};
      unsigned char* raw = PQunescapeBytea(reinterpret_cast<const unsigned char*>(ended.c_str()), &size);
      if (raw == nullptr) break;
      const std::unique_ptr<unsigned char, decltype(&PQfreemem)> owner{raw, &PQfreemem};
      const auto* bytes = reinterpret_cast<const std::byte*>(raw);
      return {sql::bytes(bytes, bytes + size)};
    }
    default: break;
  }
  return {std::string{text}};
}

result<sql::rows> rows_of(const PGresult* answer, std::string_view statement, std::size_t max_rows) {
  sql::rows out;
  const int width = PQnfields(answer);
  if (width != 0) out.statement = sql::shortened(statement);
  const int height = PQntuples(answer);
  if (std::cmp_greater(height, max_rows)) {
    return sql::fail(sql::errc::mapping, fmt::format("\"{}\" has {} rows, more than {} (max_rows): use LIMIT",
                                                     out.statement, height, max_rows));
  }
  out.columns.reserve(static_cast<std::size_t>(width));
  for (int column = 0; column != width; ++column) out.columns.emplace_back(PQfname(answer, column));
  out.values.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  for (int row = 0; row != height; ++row) {
    for (int column = 0; column != width; ++column) out.values.push_back(cell(answer, row, column));
  }
  out.changed.rows = changed_by(const_cast<PGresult*>(answer));  // libpq only reads it
  return out;
}

bool only_reads(std::string_view statement) {
  std::string_view rest = after_comments(statement);
  const std::string first = next_word(rest);
  if (first == "VALUES" || first == "TABLE" || first == "SHOW") return true;
  if (first != "SELECT" && first != "WITH") return false;
  // WITH x AS (DELETE ...), and SELECT ... INTO, FOR UPDATE.
  for (std::string word = next_word(rest); !word.empty(); word = next_word(rest)) {
    if (word == "INTO" || std::ranges::find(writing, word) != writing.end()) return false;
  }
  return true;
}

}  // namespace seawall::postgres
