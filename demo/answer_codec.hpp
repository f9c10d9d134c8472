// How keys and answers are written into a shared tier.
#pragma once

#include "request.hpp"

#include <seawall/base/codec.hpp>
#include <seawall/msgpack.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace seawall::demo {

BOOST_DESCRIBE_ENUM(request_kind, product_page, user, order, order_list, dashboard)
BOOST_DESCRIBE_STRUCT(request_key, (), (kind, page, id))
BOOST_DESCRIBE_STRUCT(answer, (), (key, version, made_at, body))

}  // namespace seawall::demo

template <>
struct seawall::codec<seawall::demo::answer> : seawall::msgpack_codec<seawall::demo::answer> {};

/// "product:42", "orders:7:2": what is asked for, its id, and the page of a list.
template <>
struct seawall::codec<seawall::demo::request_key> {
  static void encode(const seawall::demo::request_key& key, std::string& out);
  static seawall::result<seawall::demo::request_key> decode(std::string_view bytes);
};
