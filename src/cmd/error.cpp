#include "seawall/cmd/error.hpp"

#include <array>
#include <string>
#include <utility>

namespace seawall::cmd {
namespace {

class category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "seawall.cmd"; }

  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::server: return "the server answered an error";
      case errc::wrong_type: return "the key holds another type";
      case errc::no_script: return "the server does not know the script";
      case errc::no_auth: return "the server wants a password";
      case errc::wrong_pass: return "user or password is wrong";
      case errc::no_permission: return "the user may not do this";
      case errc::read_only: return "the server is a replica";
      case errc::loading: return "the server is loading its data set";
      case errc::busy: return "the server is busy with a script";
      case errc::busy_group: return "the consumer group exists already";
      case errc::no_group: return "there is no such consumer group";
      case errc::out_of_memory: return "the server is above its memory limit";
      case errc::misconfigured: return "the server refuses writes because it cannot save";
      case errc::no_replicas: return "the server has too few replicas to write";
      case errc::master_down: return "the replica has lost its primary";
      case errc::moved: return "the slot is on another node";
      case errc::ask: return "the slot is being moved to another node";
      case errc::try_again: return "the keys of the command are being moved";
      case errc::cluster_down: return "the cluster is down";
      case errc::cross_slot: return "the keys of the command are in different slots";
      case errc::exec_abort: return "the transaction was refused, nothing was applied";
      case errc::no_proto: return "the server does not speak this protocol version";
      case errc::unexpected_reply: return "the reply is not of the expected type";
      case errc::unreachable: return "the server cannot be reached";
      case errc::connection_lost: return "the connection was lost while the command was on its way";
      case errc::queue_full: return "too many commands are waiting";
      case errc::too_many_redirects: return "too many redirections";
      case errc::watch_failed: return "a watched key changed, nothing was applied";
    }
    return "unknown error of a command";
  }
};

constexpr std::array<std::pair<std::string_view, errc>, 21> words{{
    {"WRONGTYPE", errc::wrong_type},
    {"NOSCRIPT", errc::no_script},
    {"NOAUTH", errc::no_auth},
    {"WRONGPASS", errc::wrong_pass},
    {"NOPERM", errc::no_permission},
    {"READONLY", errc::read_only},
    {"LOADING", errc::loading},
    {"BUSY", errc::busy},
    {"BUSYGROUP", errc::busy_group},
    {"NOGROUP", errc::no_group},
    {"OOM", errc::out_of_memory},
    {"MISCONF", errc::misconfigured},
    {"NOREPLICAS", errc::no_replicas},
    {"MASTERDOWN", errc::master_down},
    {"MOVED", errc::moved},
    {"ASK", errc::ask},
    {"TRYAGAIN", errc::try_again},
    {"CLUSTERDOWN", errc::cluster_down},
    {"CROSSSLOT", errc::cross_slot},
    {"EXECABORT", errc::exec_abort},
    {"NOPROTO", errc::no_proto},
}};

}  // namespace

const boost::system::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

errc classify(std::string_view server_error) noexcept {
  const std::string_view first = server_error.substr(0, server_error.find(' '));
  for (const auto& [word, code] : words) {
    if (first == word) return code;
  }
  return errc::server;
}

error to_error(std::string_view server_error) { return {classify(server_error), std::string{server_error}}; }

}  // namespace seawall::cmd
