// msgpack_codec<T>: values as MessagePack (github.com/msgpack/msgpack/blob/master/spec.md), for every struct that is
// described by Boost.Describe. Shorter than JSON and sooner read; programs in most languages read it.
//
//   struct user { std::string name; int age = 0; std::vector<std::byte> photo; };
//   BOOST_DESCRIBE_STRUCT(user, (), (name, age, photo))
//   template <> struct seawall::codec<user> : seawall::msgpack_codec<user> {};
//
// Structs are maps by the members' names. The types of members, strictness, errors and limits are those of json_codec
// (seawall/json.hpp), and std::vector<std::byte> is of type bin; so are the bytes of a member with a codec of its own.
// float and double are written as float 32 and float 64, NaN and infinities included; both are also read from integers.
// Extension types have no form here: they are read as part of unknown members only.
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

/// A writer for write_value: appends, each value in its shortest form. Throws std::length_error beyond 2^32 - 1.
class msgpack_writer {
 public:
  explicit msgpack_writer(std::string& out) : out_(out) {}

  void null() { out_ += '\xc0'; }
  void boolean(bool value) { out_ += value ? '\xc3' : '\xc2'; }
  void integer(std::int64_t value);
  void integer(std::uint64_t value);
  void real(double value);
  void real(float value);
  void text(std::string_view value);
  void bytes(std::string_view value);
  void begin_list(std::size_t size);
  void item() {}
  void end_list() {}
  void begin_map(std::size_t size);
  void key(std::string_view name) { text(name); }
  void end_map() {}

 private:
  std::string& out_;
};

}  // namespace detail

template <class T>
struct msgpack_codec {
  /// See schema_hash; declare another in your codec to pin it.
  static constexpr std::uint32_t schema = detail::document_schema<T>("msgpack");

  /// Appends.
  static void encode(const T& value, std::string& out) {
    detail::msgpack_writer writer{out};
    detail::write_value(writer, value, 0);
  }

  static result<T> decode(std::string_view bytes) { return detail::decode_document<T>(bytes, &detail::parse_msgpack); }
};

}  // namespace seawall
