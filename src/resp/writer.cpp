#include "seawall/resp/writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace seawall::resp {
namespace {

/// The text without line ends, which would end the value.
void append_line(std::string& out, kind type, std::string_view text) {
  out += static_cast<char>(type);
  const auto begin = static_cast<std::ptrdiff_t>(out.size());
  out += text;
  std::replace_if(out.begin() + begin, out.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  out += "\r\n";
}

/// The shortest text that reads back as `x`.
std::string_view double_text(double x, std::array<char, 32>& room) noexcept {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x < 0 ? "-inf" : "inf";
  return {room.data(), std::to_chars(room.data(), room.data() + room.size(), x).ptr};
}

}  // namespace

char* write_header(char* out, kind type, std::uint64_t count) noexcept {
  *out++ = static_cast<char>(type);
  if (count < 10) {
    *out++ = static_cast<char>('0' + count);
  } else if (count < 100) {
    *out++ = static_cast<char>('0' + count / 10);
    *out++ = static_cast<char>('0' + count % 10);
  } else {
    out = std::to_chars(out, out + 20, count).ptr;
  }
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

/// Whether the value that begins belongs to an attribute, which RESP2 does not have; its `children` do, too.
bool reply_writer::dropped(std::uint64_t children) {
  if (dropping_ == 0) return false;
  dropping_ += children;
  --dropping_;
  return true;
}

void reply_writer::header(kind type, std::uint64_t count) {
  std::array<char, max_header> text;
  out_->append(text.data(), write_header(text.data(), type, count));
}

void reply_writer::bytes(kind type, std::string_view text) {
  header(type, text.size());
  *out_ += text;
  *out_ += "\r\n";
}

void reply_writer::simple_string(std::string_view text) {
  if (!dropped()) append_line(*out_, kind::simple_string, text);
}

void reply_writer::error(std::string_view text) {
  if (!dropped()) append_line(*out_, kind::simple_error, text);
}

void reply_writer::integer(std::int64_t n) {
  if (dropped()) return;
  std::array<char, 20> digits;
  *out_ += ':';
  out_->append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr);
  *out_ += "\r\n";
}

void reply_writer::bulk_string(std::string_view text) {
  if (!dropped()) bytes(kind::bulk_string, text);
}

void reply_writer::null() {
  if (!dropped()) *out_ += protocol_ == 2 ? "$-1\r\n" : "_\r\n";
}

void reply_writer::null_array() {
  if (!dropped()) *out_ += protocol_ == 2 ? "*-1\r\n" : "_\r\n";
}

void reply_writer::boolean(bool yes) {
  if (protocol_ == 2) return integer(yes ? 1 : 0);
  if (!dropped()) *out_ += yes ? "#t\r\n" : "#f\r\n";
}

void reply_writer::number(double x) {
  if (dropped()) return;
  std::array<char, 32> room;
  const std::string_view text = double_text(x, room);
  if (protocol_ == 2) return bytes(kind::bulk_string, text);
  append_line(*out_, kind::number, text);
}

void reply_writer::big_number(std::string_view digits) {
  if (dropped()) return;
  if (protocol_ == 2) return bytes(kind::bulk_string, digits);
  append_line(*out_, kind::big_number, digits);
}

void reply_writer::bulk_error(std::string_view text) {
  if (protocol_ == 2) return error(text);
  if (!dropped()) bytes(kind::bulk_error, text);
}

void reply_writer::verbatim(std::string_view format, std::string_view text) {
  if (protocol_ == 2) return bulk_string(text);
  if (dropped()) return;
  header(kind::verbatim, text.size() + 4);
  *out_ += format.size() == 3 ? format : "txt";
  *out_ += ':';
  *out_ += text;
  *out_ += "\r\n";
}

void reply_writer::array(std::size_t elements) {
  if (!dropped(elements)) header(kind::array, elements);
}

void reply_writer::set(std::size_t elements) {
  if (!dropped(elements)) header(protocol_ == 2 ? kind::array : kind::set, elements);
}

void reply_writer::push(std::size_t elements) {
  if (!dropped(elements)) header(protocol_ == 2 ? kind::array : kind::push, elements);
}

void reply_writer::map(std::size_t pairs) {
  if (dropped(2 * std::uint64_t{pairs})) return;
  if (protocol_ == 2) return header(kind::array, 2 * std::uint64_t{pairs});
  header(kind::map, pairs);
}

void reply_writer::attribute(std::size_t pairs) {
  if (protocol_ == 2) {
    dropping_ += 2 * std::uint64_t{pairs};
  } else {
    header(kind::attribute, pairs);
  }
}

}  // namespace seawall::resp
