// Commands on the server and its connections. In a cluster each speaks of one node.
// Thread safety: pure functions.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/cmd/builder.hpp"
#include "seawall/cmd/server_types.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seawall::cmd {

/// PING: "PONG".
command<std::string> ping();
/// PING and ECHO answer the message.
command<std::string> ping(std::string_view message);
command<std::string> echo(std::string_view message);

/// INFO: all sections that the server gives by default, or those named.
command<server_info> info();
template <key_argument... S>
command<server_info> info(const S&... sections) {
  return builder{"INFO"}.keys(sections...);
}
/// CONFIG GET: the parameters that match the patterns. Several patterns need Redis 7.0.
template <key_argument... P>
command<std::unordered_map<std::string, std::string>> config_get(const P&... patterns) {
  return builder{"CONFIG GET"}.keys(patterns...);
}
/// CONFIG SET: config_set("maxmemory", "100mb"). Several parameters need Redis 7.0.
template <class... P>
command<ok> config_set(const P&... pairs) {
  return builder{"CONFIG SET"}.pairs(pairs...);
}

/// DBSIZE: how many keys the database has.
command<std::int64_t> dbsize();
/// FLUSHDB: removes all keys of the database; `background`: the server frees the memory later.
command<ok> flush_database(bool background = true);
/// TIME: the server's clock.
command<std::chrono::sys_time<std::chrono::microseconds>> time();
/// LASTSAVE: when the data set was saved last.
command<std::chrono::sys_seconds> last_save();
/// ROLE: primary, replica or sentinel.
command<server_role> role();

/// WAIT: how many replicas have acknowledged the writes that this connection sent before, when there were `replicas` or
/// `wait` was over. It holds up the commands behind it, so send it in one pipeline with the write.
command<std::int64_t> wait_for_replicas(std::int64_t replicas, duration wait);
/// WAITAOF: the same for the append-only files; whether the server itself (`local`) and how many replicas have it.
/// Redis 7.2.
command<std::pair<std::int64_t, std::int64_t>> wait_for_aof(bool local, std::int64_t replicas, duration wait);

/// CLIENT ID, GETNAME, INFO, LIST: of the connection that the command takes. INFO and LIST are text.
command<std::int64_t> client_id();
command<std::optional<std::string>> client_name();
command<std::string> client_info();
command<std::string> client_list();
/// CLIENT KILL ID: how many were closed.
command<std::int64_t> client_kill(std::int64_t id);

/// COMMAND INFO: nothing for a command that the server does not know. Names have no subcommands before Redis 7.0.
template <key_argument... N>
command<std::vector<std::optional<command_description>>> command_info(const N&... names) {
  return builder{"COMMAND INFO"}.keys(names...);
}
/// COMMAND COUNT
command<std::int64_t> command_count();
/// ACL WHOAMI: the user of the connection.
command<std::string> acl_whoami();

}  // namespace seawall::cmd
