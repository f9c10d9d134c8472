#include "seawall/net/address.hpp"

#include <fmt/format.h>

namespace seawall::net {

std::string address::text() const {
  if (!path.empty()) return "unix:" + path;
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

}  // namespace seawall::net
