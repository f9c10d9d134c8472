// json_codec<T>: values as JSON (RFC 8259), for every struct that is described by Boost.Describe.
//
//   struct user { std::string name; int age = 0; std::optional<std::string> mail; };
//   BOOST_DESCRIBE_STRUCT(user, (), (name, age, mail))                       // in the namespace of user
//   template <> struct seawall::codec<user> : seawall::json_codec<user> {};  // {"name":"Ada","age":36}
//
// T may also be any of the types that members may have:
//   bool, integers, float, double   exact: every 64-bit integer and every double reads back as itself (JavaScript
//                                   rounds integers beyond 2^53). NaN, Infinity and -Infinity are strings
//   std::string                     UTF-8; other bytes pass through unchanged, but other programs may refuse them
//   described structs               objects; base classes and described private members included
//   described enums                 the enumerator's name
//   std::optional                   an absent member is left out; elsewhere null. Both read back as nullopt
//   vector, deque, list, set, ...   arrays; std::array, std::pair and std::tuple, too, and their length is fixed
//   map<std::string, ...>           objects, ordered or not
//   chrono durations                their count(); time points of system_clock: that of the duration since 1970
//   types with a codec              the codec's bytes as a string
// Not std::vector<std::byte>: msgpack_codec has bytes.
//
// Decoding is strict. Errors have the code errc::undecodable and name the member: "cannot read user.age as int32_t:
// found "36"". A member that is missing or null is an error unless it is an optional. Unknown members are ignored: an
// old program reads what a newer one wrote; of two members of one name the last counts. A value may be nested 32 deep
// and be 4 GiB long. Parsing takes less than 64 bytes of memory per byte of input, beside the value.
// Encoding throws (std::length_error, std::invalid_argument) for a value nested deeper and for an enum without a name;
// who uses codecs turns that into an error.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include "seawall/base/read_value.hpp"
#include "seawall/base/schema_hash.hpp"
#include "seawall/base/write_value.hpp"

namespace seawall {

namespace detail {

/// A writer for write_value: appends. That a comma is due is seen by what is written last.
class json_writer {
 public:
  explicit json_writer(std::string& out) : out_(out) {}

  void null() { out_ += "null"; }
  void boolean(bool value) { out_ += value ? "true" : "false"; }
  void integer(std::int64_t value) { number(value); }
  void integer(std::uint64_t value) { number(value); }
  void real(double value);
  void real(float value);
  void text(std::string_view value);
  void begin_list(std::size_t) { out_ += '['; }
  void item() {
    if (out_.back() != '[') out_ += ',';
  }
  void end_list() { out_ += ']'; }
  void begin_map(std::size_t) { out_ += '{'; }
  void key(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    text(name);
    out_ += ':';
  }
  void end_map() { out_ += '}'; }

 private:
  template <class T>
  void number(T value) {
    char digits[max_number];
    out_ += print_number(value, digits);
  }

  std::string& out_;
};

}  // namespace detail

template <class T>
struct json_codec {
  /// See schema_hash; declare another in your codec to pin it.
  static constexpr std::uint32_t schema = detail::document_schema<T>("json");

  /// Appends.
  static void encode(const T& value, std::string& out) {
    detail::json_writer writer{out};
    detail::write_value(writer, value, 0);
  }

  static result<T> decode(std::string_view bytes) { return detail::decode_document<T>(bytes, &detail::parse_json); }
};

}  // namespace seawall
