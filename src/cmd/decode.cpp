#include "seawall/cmd/decode.hpp"

#include "seawall/cmd/error.hpp"

#include <fmt/format.h>

namespace seawall::cmd::detail {
namespace {

std::string_view name_of(resp::kind kind) {
  switch (kind) {
    case resp::kind::simple_string:
    case resp::kind::bulk_string: return "a string";
    case resp::kind::simple_error:
    case resp::kind::bulk_error: return "an error";
    case resp::kind::integer: return "an integer";
    case resp::kind::array: return "an array";
    case resp::kind::null: return "null";
    case resp::kind::boolean: return "a boolean";
    case resp::kind::number: return "a number";
    case resp::kind::big_number: return "a big number";
    case resp::kind::verbatim: return "a verbatim string";
    case resp::kind::map: return "a map";
    case resp::kind::set: return "a set";
    case resp::kind::attribute: return "an attribute";
    case resp::kind::push: return "a push";
  }
  return "something else";
}

std::unexpected<error> shape(std::string text) {
  return std::unexpected(error{make_error_code(errc::unexpected_reply), std::move(text)});
}

}  // namespace

std::unexpected<error> unexpected_reply(std::string_view expected, resp::view reply) {
  if (reply.is_error()) return std::unexpected(to_error(reply.text()));
  return shape(fmt::format("expected {}, the server answered {}", expected, name_of(reply.kind())));
}

std::unexpected<error> unexpected_size(std::size_t expected, resp::view reply) {
  return shape(fmt::format("expected {} elements, the server answered {}", expected, reply.size()));
}

bool is_text(resp::view reply) noexcept {
  switch (reply.kind()) {
    case resp::kind::simple_string:
    case resp::kind::bulk_string:
    case resp::kind::verbatim:
    case resp::kind::number:
    case resp::kind::big_number: return true;
    default: return false;
  }
}

bool is_nested(resp::view reply) noexcept {
  return reply.kind() != resp::kind::map && !reply.empty() && (*reply.begin()).is_aggregate();
}

}  // namespace seawall::cmd::detail
