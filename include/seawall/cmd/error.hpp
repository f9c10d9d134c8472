// Errors that a Redis server answers, and those of the way to it.
#pragma once

#include "seawall/base/result.hpp"

#include <string_view>

namespace seawall::cmd {

/// By the first word of the server's error, and what a client adds.
enum class errc {
  server = 1,          ///< ERR, and every word that has no enumerator of its own.
  wrong_type,          ///< WRONGTYPE: the key holds another type.
  no_script,           ///< NOSCRIPT
  no_auth,             ///< NOAUTH: a password is needed.
  wrong_pass,          ///< WRONGPASS: user or password is wrong.
  no_permission,       ///< NOPERM: the ACL user may not do this.
  read_only,           ///< READONLY: this server is a replica.
  loading,             ///< LOADING: the server reads its data set.
  busy,                ///< BUSY: a script runs too long.
  busy_group,          ///< BUSYGROUP: the consumer group exists.
  no_group,            ///< NOGROUP: it does not.
  out_of_memory,       ///< OOM: above maxmemory.
  misconfigured,       ///< MISCONF: snapshots fail, so writes are refused.
  no_replicas,         ///< NOREPLICAS
  master_down,         ///< MASTERDOWN
  moved,               ///< MOVED: the slot is elsewhere (a client follows it; seen after too many redirections).
  ask,                 ///< ASK
  try_again,           ///< TRYAGAIN
  cluster_down,        ///< CLUSTERDOWN
  cross_slot,          ///< CROSSSLOT: keys of one command in several slots.
  exec_abort,          ///< EXECABORT: a command of the transaction was refused, nothing was applied.
  no_proto,            ///< NOPROTO
  unexpected_reply = 100,  ///< The reply's type is not what the command's result type can hold.
  unreachable,         ///< No connection could be made; the message names the address and the cause.
  connection_lost,     ///< The connection broke while the command was on its way: it may have been applied.
  queue_full,          ///< Too many commands, or bytes of commands, wait already.
  too_many_redirects,
  watch_failed,        ///< EXEC answered null: a watched key had changed, nothing was applied.
};

/// The category of `errc`; its name is "seawall.cmd".
const boost::system::error_category& error_category() noexcept;

inline boost::system::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

/// The code for the text of an error reply, by its first word.
errc classify(std::string_view server_error) noexcept;

/// An error reply as an error: its code, and the server's text as the message.
error to_error(std::string_view server_error);

}  // namespace seawall::cmd

template <>
struct boost::system::is_error_code_enum<seawall::cmd::errc> : std::true_type {};
