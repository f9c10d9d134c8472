// What commands on the server answer. Part of server.hpp.
#pragma once

#include "seawall/cmd/decode.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace seawall::cmd {

/// The answer to INFO: sections of fields.
class server_info {
 public:
  using fields = std::vector<std::pair<std::string, std::string>>;

  /// Reads "# Section" and "field:value" lines.
  explicit server_info(std::string_view text);
  server_info() = default;

  const std::vector<std::pair<std::string, fields>>& sections() const noexcept { return sections_; }
  /// A field, whatever its section: find("redis_version"). Nothing if it is not there.
  std::optional<std::string_view> find(std::string_view field) const noexcept;
  /// The same as a whole number.
  std::optional<std::int64_t> number(std::string_view field) const noexcept;

 private:
  std::vector<std::pair<std::string, fields>> sections_;
};

struct replica_description {
  std::string host;
  std::uint16_t port = 0;
  std::int64_t offset = 0;

  friend bool operator==(const replica_description&, const replica_description&) = default;
};
struct primary_role {
  std::int64_t offset = 0;                      ///< In the replication stream.
  std::vector<replica_description> replicas;

  friend bool operator==(const primary_role&, const primary_role&) = default;
};
struct replica_role {
  std::string primary_host;
  std::uint16_t primary_port = 0;
  std::string state;                            ///< "connect", "connecting", "sync", "connected".
  std::int64_t offset = 0;

  friend bool operator==(const replica_role&, const replica_role&) = default;
};
struct sentinel_role {
  std::vector<std::string> primaries;

  friend bool operator==(const sentinel_role&, const sentinel_role&) = default;
};
using server_role = std::variant<primary_role, replica_role, sentinel_role>;

/// What a server says of a command.
struct command_description {
  std::string name;
  std::int64_t arity = 0;                       ///< The number of arguments, name included; negative: at least so many.
  std::vector<std::string> flags;
  std::int64_t first_key = 0;                   ///< 0: no key has a fixed place.
  std::int64_t last_key = 0;
  std::int64_t key_step = 0;

  friend bool operator==(const command_description&, const command_description&) = default;
};

template <>
struct reply_reader<server_info> {
  static result<server_info> read(resp::view reply);
};
template <>
struct reply_reader<replica_description> {
  static result<replica_description> read(resp::view reply);
};
template <>
struct reply_reader<server_role> {
  static result<server_role> read(resp::view reply);
};
template <>
struct reply_reader<command_description> {
  static result<command_description> read(resp::view reply);
};
template <>
struct reply_reader<std::chrono::sys_time<std::chrono::microseconds>> {
  static result<std::chrono::sys_time<std::chrono::microseconds>> read(resp::view reply);
};
template <>
struct reply_reader<std::chrono::sys_seconds> {
  static result<std::chrono::sys_seconds> read(resp::view reply);
};

}  // namespace seawall::cmd
