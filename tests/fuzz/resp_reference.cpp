#include "resp_reference.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace seawall::fuzz {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_sign(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return text;
}

bool is_integer(std::string_view text) {
  const std::string_view digits = without_sign(text);
  if (!all_digits(digits) || (digits.size() > 1 && digits[0] == '0')) return false;
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t n = 0;
  return std::from_chars(text.data(), text.data() + text.size(), n).ec == std::errc{};
}

bool is_double(std::string_view text) {
  text = without_sign(text);
  if (text == "inf" || text == "nan") return true;
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    if (!all_digits(without_sign(text.substr(e + 1)))) return false;
    text = text.substr(0, e);
  }
  if (const std::size_t dot = text.find('.'); dot != std::string_view::npos) {
    return all_digits(text.substr(0, dot)) && all_digits(text.substr(dot + 1));
  }
  return all_digits(text);
}

class reader {
 public:
  reader(std::string_view stream, const resp::limits& most) : stream_(stream), most_(most) {}

  reading run() {
    reading made;
    try {
      made.value = value(0);
      require(at_ <= most_.frame);
      made.what = verdict::complete;
      made.length = at_;
    } catch (verdict thrown) {
      made.what = stream_.size() > most_.frame ? verdict::refused : thrown;
    }
    made.streamed = streamed_;
    return made;
  }

 private:
  static void require(bool right) {
    if (!right) throw verdict::refused;
  }

  char peek() const {
    if (at_ >= stream_.size()) throw verdict::more;
    return stream_[at_];
  }

  std::string line(std::size_t longest = std::string::npos) {
    std::string text;
    for (; peek() != '\r'; ++at_) {
      require(peek() != '\n' && text.size() < longest);
      text += peek();
    }
    ++at_;
    require(peek() == '\n');
    ++at_;
    return text;
  }

  std::string block(std::uint64_t length) {
    require(length <= most_.bulk);
    if (length > stream_.size() - at_ || stream_.size() - at_ - length < 2) throw verdict::more;
    std::string bytes{stream_.substr(at_, length)};
    at_ += length;
    require(stream_.substr(at_, 2) == "\r\n");
    at_ += 2;
    return bytes;
  }

  static std::uint64_t count(const std::string& text) {
    require(all_digits(text) && (text.size() == 1 || text[0] != '0'));
    std::uint64_t n = 0;
    require(std::from_chars(text.data(), text.data() + text.size(), n).ec == std::errc{});
    return n;
  }

  std::vector<tree> children(const std::string& header, std::size_t each, std::size_t depth) {
    require(depth < most_.depth);
    const std::uint64_t n = count(header);
    require(n <= (most_.elements - elements_) / each);
    elements_ += n * each;
    std::vector<tree> read;
    for (std::uint64_t i = 0; i != n * each; ++i) read.push_back(value(depth + 1));
    return read;
  }

  std::vector<tree> streamed_children(bool pairs, std::size_t depth) {
    require(depth < most_.depth);
    std::vector<tree> read;
    while (peek() != '.') {
      read.push_back(value(depth + 1));
      require(++elements_ <= most_.elements);
    }
    require(!pairs || read.size() % 2 == 0);
    ++at_;
    require(line().empty());
    return read;
  }

  std::string pieces() {
    std::string bytes;
    for (;;) {
      require(peek() == ';');
      ++at_;
      const std::uint64_t length = count(line());
      if (length == 0) return bytes;
      require(length <= most_.bulk - bytes.size());
      bytes += block(length);
    }
  }

  tree value(std::size_t depth) {
    tree read;
    while (peek() == '|') {
      ++at_;
      read.attributes.push_back(children(line(), 2, depth));
    }
    read.type = peek();
    require(std::string_view{"$!=+-:,(_#*~%>"}.find(read.type) != std::string_view::npos);
    require(read.type != '>' || depth == 0);
    ++at_;
    const bool of_text = std::string_view{"+-:,("}.find(read.type) != std::string_view::npos;
    const std::string header = line(of_text ? most_.line : std::string::npos);
    const bool null = header == "-1" && (read.type == '$' || read.type == '*');
    read.streamed = header == "?" && std::string_view{"$*~%"}.find(read.type) != std::string_view::npos;
    streamed_ = streamed_ || read.streamed;
    if (null) {
      read.type = '_';
    } else if (std::string_view{"*~%>"}.find(read.type) != std::string_view::npos) {
      const bool pairs = read.type == '%';
      read.children = read.streamed ? streamed_children(pairs, depth) : children(header, pairs ? 2 : 1, depth);
    } else if (std::string_view{"$!="}.find(read.type) != std::string_view::npos) {
      read.text = read.streamed ? pieces() : bulk(read.type, header);
    } else {
      require(is_line_of(read.type, header));
      read.text = header;
    }
    return read;
  }

  std::string bulk(char type, const std::string& header) {
    const std::uint64_t length = count(header);
    require(type != '=' || length >= 4);
    std::string bytes = block(length);
    require(type != '=' || bytes[3] == ':');
    return bytes;
  }

  static bool is_line_of(char type, const std::string& text) {
    switch (type) {
      case ':': return is_integer(text);
      case ',': return is_double(text);
      case '(': return all_digits(without_sign(text));
      case '_': return text.empty();
      case '#': return text == "t" || text == "f";
      default: return true;
    }
  }

  std::string_view stream_;
  resp::limits most_;
  std::size_t at_ = 0;
  std::size_t elements_ = 0;
  bool streamed_ = false;
};

void write_all(const std::vector<tree>& values, std::string& out) {
  for (const tree& one : values) write(one, out);
}

}  // namespace

reading reference(std::string_view stream, const resp::limits& most) { return reader{stream, most}.run(); }

void write(const tree& value, std::string& out) {
  for (const auto& pairs : value.attributes) {
    out += "|" + std::to_string(pairs.size() / 2) + "\r\n";
    write_all(pairs, out);
  }
  out += value.type;
  switch (value.type) {
    case '*':
    case '~':
    case '>':
    case '%':
      out += value.streamed ? "?" : std::to_string(value.children.size() / (value.type == '%' ? 2 : 1));
      out += "\r\n";
      write_all(value.children, out);
      if (value.streamed) out += ".\r\n";
      return;
    case '$':
    case '!':
    case '=':
      if (value.streamed) {
        out += "?\r\n";
        // Pieces of 1, 2, 3 ... bytes.
        for (std::size_t at = 0, piece = 1; at < value.text.size(); at += piece++) {
          const std::string bytes = value.text.substr(at, piece);
          out += ";" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n";
        }
        out += ";0\r\n";
        return;
      }
      out += std::to_string(value.text.size()) + "\r\n";
      break;
    default: break;
  }
  out += value.text + "\r\n";
}

}  // namespace seawall::fuzz
