// A parsed document as a flat row of tokens, which JSON and MessagePack share, and a reader that walks it.
// Included by json_codec and msgpack_codec; not for other use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::detail {

/// digits: a number as text, whose reader decides how exact it is to be. other: what has no form here, only skipped.
enum class token_kind : std::uint8_t { null, boolean, integer, unsigned_integer, real, digits, text, bytes, list, map,
                                       other };

struct token {
  token_kind kind = token_kind::null;
  std::uint32_t size = 0;  // bytes of text, bytes and digits; elements of a list; pairs of a map, whose tokens follow
  union {
    const char* begin = nullptr;
    bool boolean;
    std::int64_t integer;
    std::uint64_t unsigned_integer;
    double real;
  };
};

/// Points into the parsed bytes and into `unescaped`: neither copied nor moved.
struct token_tape {
  token_tape() = default;
  token_tape(const token_tape&) = delete;
  token_tape& operator=(const token_tape&) = delete;

  std::vector<token> tokens;  // the first is the whole value
  std::string unescaped;
  std::string problem;     // of the parser: "as JSON: ..."
  bool numbers_as_text = false;  // a format whose NaN and infinities are text
};

/// Fills the tape with the one value that `bytes` are, or its problem.
using document_parser = bool (*)(std::string_view bytes, token_tape& tape);
bool parse_json(std::string_view bytes, token_tape& tape);
bool parse_msgpack(std::string_view bytes, token_tape& tape);

/// get_*: what the next token says, if it is of that type and fits exactly. The others that return bool: false, always.
class token_reader {
 public:
  /// Requires: a tape that was parsed without a problem.
  explicit token_reader(const token_tape& tape) : next_(tape.tokens.data()), numbers_as_text_(tape.numbers_as_text) {}

  bool get(bool& out) const;
  bool get(std::int64_t& out) const;
  bool get(std::uint64_t& out) const;
  bool get(double& out) const;
  bool get(float& out) const;
  bool get_text(std::string_view& out) const { return get_run(token_kind::text, out); }
  bool get_bytes(std::string_view& out) const { return get_run(token_kind::bytes, out); }
  bool is(token_kind kind) const { return next_->kind == kind; }
  std::uint32_t size() const { return next_->size; }

  /// To the next token: of a list or a map, its first element.
  void next() { ++next_; }
  /// Over the whole value.
  void skip();

  /// The next token is no `type`.
  bool unexpected(std::string_view type);
  bool refuse(std::string_view type, std::string_view why);
  bool missing(std::string_view member);
  /// Says where a value is that could not be read, from the innermost outwards.
  bool inside_member(std::string_view name);
  bool inside_key(std::string_view key);
  bool inside_element(std::size_t index);

  /// The sentence of the first problem; `root`: the name of the whole value's type.
  std::string message(std::string_view root) const;

 private:
  bool get_run(token_kind kind, std::string_view& out) const;
  bool get_digits(std::string_view& out) const { return get_run(token_kind::digits, out); }
  template <class T>
  bool get_real(T& out) const;
  std::string found() const;

  const token* next_;
  bool numbers_as_text_;
  std::string path_;
  std::string type_;
  std::string why_;
};

}  // namespace seawall::detail
