// What the tests of the client share.
#pragma once

#include "seawall/cmd/keys.hpp"
#include "seawall/cmd/raw.hpp"
#include "seawall/cmd/strings.hpp"
#include "seawall/redis/client.hpp"
#include "servers/fake_server.hpp"
#include "servers/redis_server.hpp"
#include "servers/tcp_proxy.hpp"
#include "servers/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

namespace seawall::redis {

using namespace std::chrono_literals;

inline std::string url_of(std::uint16_t port) { return "redis://127.0.0.1:" + std::to_string(port); }

/// A client of one port, with short waits.
inline client client_of(std::uint16_t port, options how = {}) {
  how.url = url_of(port);
  how.backoff = {.first = 5ms, .most = 50ms};
  auto made = client::connect(std::move(how));
  if (!made) throw std::runtime_error(made.error().message());
  return *std::move(made);
}

/// The value that a GET found, or what there was instead.
inline std::string text_of(const result<std::optional<std::string>>& outcome) {
  if (!outcome) return "error: " + outcome.error().message();
  return outcome->value_or("(nil)");
}

/// The error of a command that must fail.
template <class T>
std::string failure_of(const result<T>& outcome) {
  return outcome ? "no failure" : outcome.error().message();
}

}  // namespace seawall::redis
