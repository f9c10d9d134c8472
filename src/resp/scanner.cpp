#include "seawall/resp/scanner.hpp"

#include "complaint.hpp"
#include "number_grammar.hpp"

#include <limits>
#include <utility>

namespace seawall::resp {
namespace {

bool is_digit(char c) noexcept { return static_cast<unsigned char>(c - '0') <= 9; }

}  // namespace

struct scanner::header {
  enum class form : std::uint8_t { more, failed, number, null, streamed } what;
  std::uint64_t value = 0;
  std::size_t end = 0;
};

void scanner::reset() noexcept {
  needed_ = offset_ = searched_ = elements_ = string_bytes_ = 0;
  streamed_ = in_string_ = wants_value_ = false;
  levels_.clear();
}

result<std::size_t> scanner::scan_on(std::string_view stream) {
  complaint what;
  for (;;) {
    if (offset_ == 0) streamed_ = false;
    run_of_values(stream);
    step now = next(stream, what);
    if (now == step::value) now = close_value(what);
    if (now == step::more) {
      if (stream.size() <= limits_.frame) return std::size_t{0};
      now = what.exceed(offset_, "frame", stream.size(), limits_.frame);
    }
    if (now == step::failed) return std::unexpected(what.sentence(stream));
    if (now == step::value) {
      elements_ = 0;
      return std::exchange(offset_, 0);
    }
  }
}

/// Takes the elements of the innermost aggregate that need no thought, save its last, which closes it.
void scanner::run_of_values(std::string_view stream) noexcept {
  if (levels_.empty() || in_string_) return;
  level& top = levels_.back();
  if (top.what != shape::definite && top.what != shape::attribute) return;
  std::size_t at = offset_;
  std::uint64_t left = top.left;
  for (; left > 1; --left) {
    const std::size_t length = whole_value(stream.data() + at, stream.size() - at);
    if (length == 0 || length > limits_.frame - at) break;
    at += length;
  }
  if (left == top.left) return;
  top.left = left;
  offset_ = at;
  needed_ = searched_ = 0;
  wants_value_ = false;
}

/// Takes one token: a value without elements, the header of an aggregate, a piece or an end of a streamed form.
scanner::step scanner::next(std::string_view stream, complaint& what) {
  if (offset_ >= stream.size()) return step::more;
  if (in_string_) return chunk(stream, what);
  switch (stream[offset_]) {
    case '$':
    case '!':
    case '=': return bulk(stream, what);
    case '+':
    case '-':
    case ',':
    case '(': return line(stream, what);
    case ':': return integer(stream, what);
    case '_': return fixed(stream, "", what);
    case '#': return fixed(stream, "tf", what);
    case '*':
    case '~':
    case '%':
    case '|':
    case '>': return aggregate(stream, what);
    case '.': return end_of_streamed(stream, what);
    default: return what.refuse(offset_, "the type of a value");
  }
}

scanner::step scanner::advance(std::size_t end, step then, complaint& what) noexcept {
  if (end > limits_.frame) return what.exceed(offset_, "frame", end, limits_.frame);
  offset_ = end;
  needed_ = searched_ = 0;
  wants_value_ = false;
  return then;
}

/// A value has ended, and with it perhaps those around it. step::value: the frame has.
scanner::step scanner::close_value(complaint& what) {
  while (!levels_.empty()) {
    level& top = levels_.back();
    if (top.what == shape::streamed || top.what == shape::streamed_map) {
      if (elements_ >= limits_.elements) return what.exceed(offset_, "elements", elements_ + 1, limits_.elements);
      ++elements_;
      ++top.left;
      return step::opened;
    }
    if (--top.left != 0) return step::opened;
    wants_value_ = top.what == shape::attribute;
    levels_.pop_back();
    if (wants_value_) return step::opened;
  }
  return step::value;
}

/// The number behind the type, and CR LF; of `also`, '-' permits -1 and '?' permits itself. Refuses the first byte that
/// cannot be right, so that no garbage is waited upon.
scanner::header scanner::read_header(std::string_view stream, std::string_view also, complaint& what) const noexcept {
  using enum header::form;
  const auto ends = [&](header::form form, std::size_t at, std::uint64_t value) -> header {
    for (const char expected : {'\r', '\n'}) {
      if (at >= stream.size()) return {more};
      if (stream[at] != expected) return what.refuse(at, "CR LF at the end of a header"), header{failed};
      ++at;
    }
    return {form, value, at};
  };
  std::size_t at = offset_ + 1;
  if (at >= stream.size()) return {more};
  const char first = stream[at];
  if (first == '0') return ends(number, at + 1, 0);
  if (!is_digit(first)) {
    const bool permitted = also.find(first) != std::string_view::npos;
    if (permitted && first == '?') return ends(streamed, at + 1, 0);
    if (!permitted) return what.refuse(at, "a length in decimal"), header{failed};
    if (++at >= stream.size()) return {more};
    if (stream[at] != '1') return what.refuse(at, "-1, the only negative length,"), header{failed};
    return ends(null, at + 1, 0);
  }
  std::uint64_t value = 0;
  for (; at < stream.size() && is_digit(stream[at]); ++at) {
    const auto digit = static_cast<std::uint64_t>(stream[at] - '0');
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) {
      return what.refuse(at, "the end of a length, which 64 bits must hold,"), header{failed};
    }
    value = value * 10 + digit;
  }
  return ends(number, at, value);
}

scanner::step scanner::bulk(std::string_view stream, complaint& what) {
  const char type = stream[offset_];
  const header head = read_header(stream, type == '$' ? "-?" : "", what);
  switch (head.what) {
    case header::form::more: return step::more;
    case header::form::failed: return step::failed;
    case header::form::null: return advance(head.end, step::value, what);
    case header::form::streamed:
      streamed_ = in_string_ = true;
      string_bytes_ = 0;
      return advance(head.end, step::opened, what);
    case header::form::number: break;
  }
  constexpr std::size_t format = 3;  // then ':'
  if (type == '=' && head.value <= format) return what.refuse(offset_ + 1, "a length of 4 or more");
  if (head.value > limits_.bulk) return what.exceed(offset_, "bulk", head.value, limits_.bulk);
  const step taken = body(stream, head.value, head.end, what);
  if (taken == step::value && type == '=' && stream[head.end + format] != ':') {
    return what.refuse(head.end + format, "':' after a format of 3 bytes");
  }
  return taken;
}

/// The bytes that a header has announced, and CR LF.
scanner::step scanner::body(std::string_view stream, std::uint64_t length, std::size_t begin, complaint& what) {
  if (limits_.frame < begin + 2 || limits_.frame - begin - 2 < length) {
    return what.exceed(offset_, "frame", length, limits_.frame);
  }
  const std::size_t end = begin + length;
  if (stream.size() < end + 2) {
    needed_ = end + 2;
    return step::more;
  }
  if (stream[end] != '\r' || stream[end + 1] != '\n') return what.refuse(end, "CR LF at the end of a string");
  return advance(end + 2, step::value, what);
}

/// A piece of a streamed string; the empty one ends it.
scanner::step scanner::chunk(std::string_view stream, complaint& what) {
  if (stream[offset_] != ';') return what.refuse(offset_, "';' and a piece of a streamed string");
  const header head = read_header(stream, "", what);
  if (head.what == header::form::more) return step::more;
  if (head.what == header::form::failed) return step::failed;
  if (head.value == 0) {
    in_string_ = false;
    return advance(head.end, step::value, what);
  }
  if (head.value > limits_.bulk - string_bytes_) return what.exceed(offset_, "bulk", head.value, limits_.bulk);
  const step taken = body(stream, head.value, head.end, what);
  if (taken != step::value) return taken;
  string_bytes_ += head.value;
  return step::opened;
}

/// A simple string, an error, a double or a big number.
scanner::step scanner::line(std::string_view stream, complaint& what) {
  const std::size_t begin = offset_ + 1;
  const std::size_t from = std::max(searched_, begin);
  const char* const data = stream.data();
  const auto find = [&](char c, std::size_t end) {
    const void* found = from < end ? std::memchr(data + from, c, end - from) : nullptr;
    return found == nullptr ? end : static_cast<std::size_t>(static_cast<const char*>(found) - data);
  };
  const std::size_t end = find('\r', stream.size());
  const std::size_t feed = find('\n', end);
  if (feed != end) return what.refuse(feed, "CR before LF");
  if (end - begin > limits_.line && end > begin) return what.exceed(offset_, "line", end - begin, limits_.line);
  if (end + 1 >= stream.size()) {
    searched_ = end;
    return step::more;
  }
  if (stream[end + 1] != '\n') return what.refuse(end + 1, "LF after CR");
  const std::string_view text = stream.substr(begin, end - begin);
  if (stream[offset_] == ',') {
    const std::size_t wrong = bad_byte_of_double(text);
    if (wrong != std::string_view::npos) return what.refuse(begin + wrong, "a double");
  } else if (stream[offset_] == '(') {
    const std::size_t wrong = bad_byte_of_big_number(text);
    if (wrong != std::string_view::npos) return what.refuse(begin + wrong, "the digits of a big number");
  }
  return advance(end + 2, step::value, what);
}

scanner::step scanner::integer(std::string_view stream, complaint& what) {
  std::size_t at = offset_ + 1;
  const auto here = [&] { return at < stream.size() ? stream[at] : '\0'; };
  const bool negative = here() == '-';
  if (negative || here() == '+') ++at;
  const std::uint64_t most = std::numeric_limits<std::int64_t>::max() + std::uint64_t{negative};
  const std::size_t first = at;
  std::uint64_t value = 0;
  for (; is_digit(here()) && (at == first || stream[first] != '0'); ++at) {
    const auto digit = static_cast<std::uint64_t>(here() - '0');
    if (value > (most - digit) / 10) return what.refuse(at, "the end of an integer, which 64 bits must hold,");
    value = value * 10 + digit;
  }
  if (at - offset_ - 1 > limits_.line) return what.exceed(offset_, "line", at - offset_ - 1, limits_.line);
  if (at >= stream.size()) return step::more;
  if (at == first) return what.refuse(at, "a digit of an integer");
  if (stream[at] != '\r') return what.refuse(at, "CR LF at the end of an integer");
  if (++at >= stream.size()) return step::more;
  if (stream[at] != '\n') return what.refuse(at, "LF after CR");
  return advance(at + 1, step::value, what);
}

/// A boolean or a null: one of `choices`, if there are any, and CR LF.
scanner::step scanner::fixed(std::string_view stream, std::string_view choices, complaint& what) {
  std::size_t at = offset_ + 1;
  if (!choices.empty()) {
    if (at >= stream.size()) return step::more;
    if (choices.find(stream[at]) == std::string_view::npos) return what.refuse(at, "t or f");
    ++at;
  }
  for (const char expected : {'\r', '\n'}) {
    if (at >= stream.size()) return step::more;
    if (stream[at] != expected) return what.refuse(at, "CR LF at the end of a value");
    ++at;
  }
  return advance(at, step::value, what);
}

scanner::step scanner::aggregate(std::string_view stream, complaint& what) {
  const char type = stream[offset_];
  if (type == '>' && !levels_.empty()) return what.refuse(offset_, "an element, and no push,");
  const header head = read_header(stream, type == '*' ? "-?" : type == '~' || type == '%' ? "?" : "", what);
  if (head.what == header::form::more) return step::more;
  if (head.what == header::form::failed) return step::failed;
  if (head.what == header::form::null) return advance(head.end, step::value, what);
  if (levels_.size() >= limits_.depth) return what.exceed(offset_, "depth", levels_.size() + 1, limits_.depth);
  if (head.what == header::form::streamed) {
    streamed_ = true;
    levels_.push_back({0, type == '%' ? shape::streamed_map : shape::streamed});
    return advance(head.end, step::opened, what);
  }
  const bool pairs = type == '%' || type == '|';
  // Doubling must not overflow; that many exceeds any limit anyway.
  if (head.value > (limits_.elements - elements_) / (pairs ? 2 : 1)) {
    return what.exceed(offset_, "elements", head.value, limits_.elements);
  }
  const std::uint64_t children = head.value * (pairs ? 2 : 1);
  elements_ += children;
  const bool attribute = type == '|';
  if (children != 0) {
    levels_.push_back({children, attribute ? shape::attribute : shape::definite});
    return advance(head.end, step::opened, what);
  }
  const step taken = advance(head.end, attribute ? step::opened : step::value, what);
  wants_value_ = attribute;
  return taken;
}

scanner::step scanner::end_of_streamed(std::string_view stream, complaint& what) {
  const bool open = !levels_.empty() && levels_.back().what >= shape::streamed;
  if (!open) return what.refuse(offset_, "a value, and no end of a streamed aggregate,");
  if (wants_value_) return what.refuse(offset_, "the value that an attribute describes");
  const level& top = levels_.back();
  if (top.what == shape::streamed_map && top.left % 2 != 0) return what.refuse(offset_, "the value of a key");
  const step taken = fixed(stream, "", what);
  if (taken == step::value) levels_.pop_back();
  return taken;
}

}  // namespace seawall::resp
