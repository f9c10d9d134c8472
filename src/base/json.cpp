#include "seawall/json.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace seawall::detail {
namespace {

using boost::json::error_code;
using json_view = boost::json::string_view;

/// What basic_parser calls while it reads: one token per value.
class tape_handler {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;

  tape_handler(std::string_view bytes, token_tape& tape) : bytes_(bytes), tape_(tape) {}

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return begin(token_kind::list); }
  bool on_array_end(std::size_t size, error_code&) { return end(size); }
  bool on_object_begin(error_code&) { return begin(token_kind::map); }
  bool on_object_end(std::size_t size, error_code&) { return end(size); }
  bool on_string_part(json_view part, std::size_t, error_code&) { return add_part(part); }
  bool on_string(json_view last, std::size_t, error_code&) { return add_run(token_kind::text, last); }
  bool on_key_part(json_view part, std::size_t, error_code&) { return add_part(part); }
  bool on_key(json_view last, std::size_t, error_code&) { return add_run(token_kind::text, last); }
  bool on_number_part(json_view part, error_code&) { return add_part(part); }
  bool on_int64(std::int64_t, json_view last, error_code&) { return add_run(token_kind::digits, last); }
  bool on_uint64(std::uint64_t, json_view last, error_code&) { return add_run(token_kind::digits, last); }
  bool on_double(double, json_view last, error_code&) { return add_run(token_kind::digits, last); }
  bool on_bool(bool value, error_code&) {
    tape_.tokens.emplace_back().kind = token_kind::boolean;
    tape_.tokens.back().boolean = value;
    return true;
  }
  bool on_null(error_code&) {
    tape_.tokens.emplace_back();
    return true;
  }
  bool on_comment_part(json_view, error_code&) { return true; }
  bool on_comment(json_view, error_code&) { return true; }

 private:
  bool begin(token_kind kind) {
    open_[depth_++] = tape_.tokens.size();
    tape_.tokens.emplace_back().kind = kind;
    return true;
  }
  bool end(std::size_t size) {
    tape_.tokens[open_[--depth_]].size = static_cast<std::uint32_t>(size);
    return true;
  }

  /// Text with escapes comes in parts, from a buffer of the parser. All of it is no longer than the input, so that the
  /// copy never moves and tokens may point into it.
  bool add_part(json_view part) {
    if (tape_.unescaped.capacity() < bytes_.size()) tape_.unescaped.reserve(bytes_.size());
    tape_.unescaped.append(part.data(), part.size());
    in_parts_ += part.size();
    return true;
  }

  bool add_run(token_kind kind, json_view last) {
    token& added = tape_.tokens.emplace_back();
    added.kind = kind;
    if (in_parts_ == 0 && lies_in_input(last)) {
      added.begin = last.data();
      added.size = static_cast<std::uint32_t>(last.size());
      return true;
    }
    add_part(last);
    added.begin = tape_.unescaped.data() + tape_.unescaped.size() - in_parts_;
    added.size = static_cast<std::uint32_t>(in_parts_);
    in_parts_ = 0;
    return true;
  }

  bool lies_in_input(json_view run) const {
    const std::less_equal<const char*> before;
    return before(bytes_.data(), run.data()) && before(run.data() + run.size(), bytes_.data() + bytes_.size());
  }

  const std::string_view bytes_;
  token_tape& tape_;
  std::array<std::size_t, max_nesting> open_{};  // the parser refuses what is deeper
  std::size_t depth_ = 0;
  std::size_t in_parts_ = 0;  // bytes of the present text that are in `unescaped`
};

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

template <class T>
std::string_view print_real(T value, char (&digits)[max_number]) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  return print_number(value, digits);
}

}  // namespace

void json_writer::real(double value) {
  char digits[max_number];
  out_ += print_real(value, digits);
}

void json_writer::real(float value) {
  char digits[max_number];
  out_ += print_real(value, digits);
}

void json_writer::text(std::string_view value) {
  if (std::ranges::any_of(value, needs_escape)) {
    out_ += boost::json::serialize(json_view{value.data(), value.size()});
    return;
  }
  out_ += '"';
  out_ += value;
  out_ += '"';
}

bool parse_json(std::string_view bytes, token_tape& tape) {
  if (bytes.size() > std::numeric_limits<std::uint32_t>::max()) {
    tape.problem = "as JSON: longer than 4 GiB";
    return false;
  }
  tape.numbers_as_text = true;
  boost::json::parse_options options;
  options.max_depth = max_nesting;
  options.allow_invalid_utf8 = true;  // text of any bytes is read as it was written
  boost::json::basic_parser<tape_handler> parser{options, bytes, tape};
  error_code problem;
  const std::size_t read = parser.write_some(false, bytes.data(), bytes.size(), problem);
  if (!problem && read < bytes.size()) problem = boost::json::error::extra_data;
  if (!problem) return true;
  if (problem == boost::json::error::too_deep) {
    tape.problem = fmt::format("as JSON: nested deeper than {}", max_nesting);
  } else {
    tape.problem = fmt::format("as JSON: {} at byte {}", problem.message(), read);
  }
  return false;
}

}  // namespace seawall::detail
