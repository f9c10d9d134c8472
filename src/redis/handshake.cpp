#include "handshake.hpp"

#include "seawall/cmd/error.hpp"
#include "seawall/resp/command_bytes.hpp"
#include "seawall/resp/error.hpp"
#include "seawall/resp/value.hpp"

#include <fmt/format.h>

#include <array>

namespace seawall::redis {
namespace {

// In the order of the answers to COMMAND INFO.
constexpr std::array<std::pair<std::string_view, bool capabilities::*>, 5> probes{{
    {"DELIFEQ", &capabilities::delifeq},
    {"DELEX", &capabilities::delex},
    {"HEXPIRE", &capabilities::hash_field_ttl},
    {"SPUBLISH", &capabilities::sharded_pubsub},
    {"FCALL", &capabilities::functions},
}};

}  // namespace

handshake::handshake(const greeting& how) : how_(how) {
  resp::command_bytes hello{"HELLO", "3"};
  if (!how.password.empty()) {
    hello.append("AUTH").append(how.user.empty() ? std::string_view{"default"} : std::string_view{how.user});
    hello.append(how.password);
  }
  if (!how.client_name.empty()) hello.append("SETNAME").append(how.client_name);
  bytes_ = hello.bytes();
  steps_.push_back(step::hello);
  if (how.sentinel) {
    add(step::ping, {"PING"});
    return;
  }
  if (how.database != 0) add(step::select, {"SELECT", std::to_string(how.database)});
  if (how.tracking) add_tracking();
  if (how.read_only) add(step::read_only, {"READONLY"});
  if (how.must_be_primary) add(step::role, {"ROLE"});
  add(step::client_id, {"CLIENT", "ID"});
  add(step::set_info, {"CLIENT", "SETINFO", "LIB-NAME", "seawall"});
  resp::command_bytes info{"COMMAND", "INFO"};
  for (const auto& [name, member] : probes) info.append(name);
  bytes_ += info.bytes();
  steps_.push_back(step::commands);
  add(step::docs, {"COMMAND", "DOCS", "SET"});
  // Last, since it fails while the server loads its data set, and is the proof that all before it went through.
  add(step::ping, {"PING"});
}

void handshake::add_tracking() {
  resp::command_bytes on{"CLIENT", "TRACKING", "ON"};
  if (how_.broadcast) on.append("BCAST");
  for (const std::string& prefix : how_.prefixes) on.append("PREFIX").append(prefix);
  bytes_ += on.bytes();
  steps_.push_back(step::tracking);
}

void handshake::add(step what, std::initializer_list<std::string_view> arguments) {
  bytes_ += resp::command_bytes{arguments}.bytes();
  steps_.push_back(what);
}

handshake::state handshake::fail_with(state verdict, boost::system::error_code code, std::string why) {
  failure_ = error{code, fmt::format("{}: {}", how_.address, why)};
  return verdict;
}

handshake::state handshake::on_error(step at, std::string_view text) {
  const cmd::errc code = cmd::classify(text);
  switch (at) {
    case step::set_info:
    case step::commands:
    case step::docs:
    case step::client_id:
      return state::going_on;  // newer than the server, or not allowed to this user: nothing depends on it
    case step::hello:
      if (code == cmd::errc::wrong_pass) {
        return fail_with(state::refused, code, fmt::format("user '{}' or its password is wrong ({})",
                                                           how_.user.empty() ? "default" : how_.user, text));
      }
      if (code == cmd::errc::no_auth || text.find("AUTH") != text.npos) {
        return fail_with(state::refused, code, fmt::format("the server refuses this login ({}); set user and password",
                                                           text));
      }
      if (code == cmd::errc::loading) break;
      return fail_with(state::refused, cmd::errc::no_proto,
                       fmt::format("the server does not speak RESP3, which Redis 6 and Valkey do (HELLO: {})", text));
    case step::select:
      return fail_with(state::refused, code, fmt::format("SELECT {}: {}", how_.database, text));
    case step::tracking:
      return fail_with(state::refused, code, fmt::format("CLIENT TRACKING: {}", text));
    case step::ping:
      // The user may lack the right to PING; the reply itself shows what is to be shown.
      if (code == cmd::errc::no_permission) return state::ready;
      break;
    default:
      break;
  }
  return fail_with(state::failed, code, std::string{text});
}

handshake::state handshake::on_reply(const resp::view& reply) {
  if (next_ == steps_.size()) {
    return fail_with(state::failed, resp::errc::protocol, "more replies than commands: " + resp::describe(reply));
  }
  const step at = steps_[next_++];
  if (reply.is_error()) return on_error(at, reply.text());
  switch (at) {
    case step::hello:
      if (reply.find("proto").integer() != 3) {
        return fail_with(state::refused, cmd::errc::no_proto,
                         "HELLO 3 was answered with another protocol: " + resp::describe(reply));
      }
      if (how_.sentinel && reply.find("mode").text() != "sentinel") {
        return fail_with(state::refused, cmd::errc::server,
                         fmt::format("this should be a sentinel, and says that it is '{}'", reply.find("mode").text()));
      }
      break;
    case step::role:
      if (reply[0].text() != "master") {
        return fail_with(state::failed, cmd::errc::read_only,
                         fmt::format("this should be the primary, and says that it is '{}'", reply[0].text()));
      }
      break;
    case step::client_id: client_id_ = reply.integer().value_or(0); break;
    case step::commands: probe_commands(reply); break;
    case step::docs: found_.set_ifeq = reply.raw().find("IFEQ") != std::string_view::npos; break;
    case step::ping: return state::ready;
    default: break;
  }
  return state::going_on;
}

void handshake::probe_commands(const resp::view& reply) {
  std::size_t i = 0;
  for (const auto& [name, member] : probes) found_.*member = !reply[i++].is_null();
}

}  // namespace seawall::redis
