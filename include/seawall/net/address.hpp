// address: where a server listens.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace seawall::net {

/// A host (name, IPv4 or IPv6 literal) with a port, or the path of a Unix socket.
struct address {
  std::string host;
  std::uint16_t port = 0;
  std::string path{};  ///< Of a Unix socket; then host and port are empty.

  /// "host:port", "[::1]:6379", or "unix:/run/redis.sock".
  std::string text() const;

  friend auto operator<=>(const address&, const address&) = default;
};

}  // namespace seawall::net

template <>
struct std::hash<seawall::net::address> {
  std::size_t operator()(const seawall::net::address& of) const noexcept {
    return std::hash<std::string>{}(of.path.empty() ? of.host : of.path) * 31 + of.port;
  }
};
