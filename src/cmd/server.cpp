#include "seawall/cmd/server.hpp"

namespace seawall::cmd {
namespace {

constexpr const char* bad_replicas = "the number of replicas must not be negative";

builder& append_wait(builder& made, duration wait) {
  // The command holds up its connection, so it goes where the writes went: on the shared one.
  return made.wait_milliseconds(wait).does_not_block();
}

}  // namespace

command<std::string> ping() { return builder{"PING"}; }
command<std::string> ping(std::string_view message) { return builder{"PING"}.text(message); }
command<std::string> echo(std::string_view message) { return builder{"ECHO"}.text(message); }
command<server_info> info() { return builder{"INFO"}; }
command<std::int64_t> dbsize() { return builder{"DBSIZE"}; }
command<ok> flush_database(bool background) { return builder{"FLUSHDB"}.text(background ? "ASYNC" : "SYNC"); }
command<std::chrono::sys_time<std::chrono::microseconds>> time() { return builder{"TIME"}; }
command<std::chrono::sys_seconds> last_save() { return builder{"LASTSAVE"}; }
command<server_role> role() { return builder{"ROLE"}; }

command<std::int64_t> wait_for_replicas(std::int64_t replicas, duration wait) {
  builder made{"WAIT"};
  return append_wait(made.number(replicas).check(replicas >= 0, bad_replicas), wait);
}

command<std::pair<std::int64_t, std::int64_t>> wait_for_aof(bool local, std::int64_t replicas, duration wait) {
  builder made{"WAITAOF"};
  return append_wait(made.value(local).number(replicas).check(replicas >= 0, bad_replicas), wait);
}

command<std::int64_t> client_id() { return builder{"CLIENT ID"}; }
command<std::optional<std::string>> client_name() { return builder{"CLIENT GETNAME"}; }
command<std::string> client_info() { return builder{"CLIENT INFO"}; }
command<std::string> client_list() { return builder{"CLIENT LIST"}; }
command<std::int64_t> client_kill(std::int64_t id) { return builder{"CLIENT KILL"}.text("ID").number(id); }
command<std::int64_t> command_count() { return builder{"COMMAND COUNT"}; }
command<std::string> acl_whoami() { return builder{"ACL WHOAMI"}; }

}  // namespace seawall::cmd
