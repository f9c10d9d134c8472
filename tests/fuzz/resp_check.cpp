#include "resp_check.hpp"

#include <seawall/resp/scanner.hpp>
#include <seawall/resp/value.hpp>
#include <seawall/resp/view.hpp>
#include <seawall/resp/writer.hpp>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <utility>

namespace seawall::fuzz {
namespace {

using resp::view;

/// The bytes in memory of their own and of their very size, so that a sanitizer sees one step too far.
class exact_copy {
 public:
  explicit exact_copy(std::string_view bytes) : size_(bytes.size()), bytes_(new char[bytes.size()]) {
    bytes.copy(bytes_.get(), size_);
  }
  std::string_view get() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

tree tree_of(view of) {
  tree read;
  read.type = static_cast<char>(of.kind());
  read.text = of.text();
  if (of.kind() == resp::kind::verbatim) read.text = std::string{of.format()} + ":" + read.text;
  if (of.kind() == resp::kind::boolean) read.text = *of.boolean() ? "t" : "f";
  for (const view child : of) read.children.push_back(tree_of(child));
  if (!of.attributes().is_null()) read.attributes.push_back(tree_of(of.attributes()).children);
  return read;
}

/// Of several attributes in a row a view tells the last.
void keep_last_attributes(tree& of) {
  if (of.attributes.size() > 1) of.attributes.erase(of.attributes.begin(), of.attributes.end() - 1);
  for (auto& pairs : of.attributes) {
    for (tree& one : pairs) keep_last_attributes(one);
  }
  for (tree& one : of.children) keep_last_attributes(one);
}

bool is_text(char type) { return type == '$' || type == '+' || type == '='; }

std::string plain_text(const tree& of) { return of.type == '=' ? of.text.substr(4) : of.text; }

std::string check_numbers(view read, const tree& expected) {
  const std::string text = plain_text(expected);
  if (expected.type == ':' || is_text(expected.type)) {
    std::string_view digits = text;
    if (expected.type == ':' && digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t n = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    const bool is = parsed.ec == std::errc{} && parsed.ptr == digits.data() + digits.size();
    if (read.integer() != (is ? std::optional{n} : std::nullopt)) return "integer() of '" + text + "'";
  } else if (read.integer().has_value() != (expected.type == '#')) {
    return "integer() of a value that is none";
  }
  if (expected.type == ',' && read.number()) {
    const double n = std::strtod(text.c_str(), nullptr);
    if (*read.number() != n && !(std::isnan(n) && std::isnan(*read.number()))) return "number() of '" + text + "'";
  }
  return {};
}

std::string check_view(view read, const tree& expected) {
  if (std::string wrong = check_numbers(read, expected); !wrong.empty()) return wrong;
  if (read.size() != expected.children.size()) return "size()";
  std::string raw;
  for (const view child : read) raw += child.raw();
  if (!read.raw().ends_with(raw)) return "raw() of the children is not the end of raw()";
  if (read.kind() == resp::kind::null && !read.is_null()) return "is_null()";
  std::size_t index = 0;
  for (const tree& child : expected.children) {
    const view at = read[index];
    if (++index <= 4 && at.raw() != resp::value{at}->raw()) return "value keeps other bytes";
    if (std::string wrong = check_view(at, child); !wrong.empty()) return wrong;
  }
  if (!read[index].is_null()) return "an element behind the last";
  if (expected.type != '%' && expected.type != '*') return {};
  for (std::size_t i = 0; i + 1 < expected.children.size(); i += 2) {
    const tree& key = expected.children[i];
    const auto earlier = [&](std::size_t k) {
      return is_text(expected.children[k].type) && plain_text(expected.children[k]) == plain_text(key);
    };
    std::size_t first = 0;
    while (first != i && !earlier(first)) first += 2;
    if (!is_text(key.type) || first != i) continue;
    if (tree_of(read.find(plain_text(key))) != tree_of(read[i + 1])) return "find('" + plain_text(key) + "')";
  }
  return {};
}

/// A frame that was found complete.
std::string check_frame(std::string_view frame, bool streamed, const reading& expected) {
  if (streamed != expected.streamed) return "streamed() is wrong";
  const std::string definite = resp::normalized(frame);
  if (!streamed && definite != frame) return "normalized changes what has no streamed forms";
  resp::limits none;
  none.frame = none.bulk = none.depth = none.elements = none.line = static_cast<std::size_t>(-1);
  resp::scanner again{none};
  const auto scanned = again.scan(definite);
  if (!scanned || *scanned != definite.size() || again.streamed()) return "normalized wrote no definite frame";
  const exact_copy bytes{definite};
  const view read{bytes.get()};
  if (read.raw() != definite) return "raw() is not the frame";
  tree known = expected.value;
  keep_last_attributes(known);
  if (tree_of(read) != known) return "the view reads another value than the reference: " + resp::describe(read);
  return check_view(read, known);
}

struct outcome {
  verdict what = verdict::more;
  std::size_t length = 0;
  std::string wrong{};
};

/// Feeds the pieces; each time all bytes lie at a new place.
outcome scan_pieces(resp::scanner& scan, std::string_view stream, std::mt19937_64& random) {
  const std::size_t longest = random() % 3 == 0 ? 1 : 1 + random() % 40;
  for (std::size_t there = 0;;) {
    if (there == stream.size()) return {verdict::more};
    there = std::min(stream.size(), there + 1 + random() % longest);
    const std::size_t needed = scan.needed();
    const exact_copy bytes{stream.substr(0, there)};
    const auto found = scan.scan(bytes.get());
    if (!found) return {verdict::refused};
    if (*found != 0 && there < needed) return {verdict::refused, 0, "complete with less than needed()"};
    if (*found != 0) return {verdict::complete, *found};
    if (scan.needed() != 0 && scan.needed() <= there) return {verdict::refused, 0, "needed() is there already"};
  }
}

}  // namespace

std::string check_stream(std::string_view stream, const resp::limits& most, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  resp::scanner whole{most};
  resp::scanner pieces{most};
  for (;;) {
    const reading expected = reference(stream, most);
    const exact_copy bytes{stream};
    const auto found = whole.scan(bytes.get());
    const verdict got = !found ? verdict::refused : *found == 0 ? verdict::more : verdict::complete;
    const outcome cut = scan_pieces(pieces, stream, random);
    if (!cut.wrong.empty()) return cut.wrong;
    if (cut.what != got || (found && cut.length != *found)) return "cut into pieces the answer is another";
    const bool sooner = expected.what == verdict::more && got == verdict::refused;
    if (got != expected.what && !sooner) {
      return "verdict " + std::to_string(static_cast<int>(got)) + ", reference " +
             std::to_string(static_cast<int>(expected.what)) + (found ? "" : ": " + found.error().message());
    }
    if (got != verdict::complete) return {};
    if (*found != expected.length) return "another length than the reference's";
    if (whole.streamed() != pieces.streamed()) return "streamed() depends on the pieces";
    std::string wrong = check_frame(stream.substr(0, *found), whole.streamed(), expected);
    if (!wrong.empty()) return wrong;
    stream.remove_prefix(*found);
    if (stream.empty()) return {};
  }
}

}  // namespace seawall::fuzz
