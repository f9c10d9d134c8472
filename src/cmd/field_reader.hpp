// field_reader: fills the members of a struct from a reply that is a map, or a flat array of pairs (RESP2).
#pragma once

#include "seawall/cmd/decode.hpp"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

namespace seawall::cmd {

/// The first field that cannot be read is the error; a field that a version of the server may lack is an optional.
class field_reader {
 public:
  explicit field_reader(resp::view reply) : reply_(reply) {
    if (!reply.is_aggregate()) failure_ = detail::unexpected_reply("a map", reply).error();
  }

  template <class T>
  field_reader& get(std::string_view name, T& out) {
    if (failure_) return *this;
    result<T> value = decode<T>(reply_.find(name));
    if (value) out = *std::move(value);
    else failure_ = error{value.error().code(), fmt::format("field {}: {}", name, value.error().message())};
    return *this;
  }

  template <class S>
  result<S> done(S&& made) {
    if (failure_) return std::unexpected(*std::move(failure_));
    return std::forward<S>(made);
  }

 private:
  resp::view reply_;
  std::optional<error> failure_;
};

}  // namespace seawall::cmd
