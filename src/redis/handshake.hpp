// handshake: what a new connection says first, and what the answers mean. Performs no I/O.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/redis/capabilities.hpp"
#include "seawall/resp/view.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::redis {

struct greeting {
  std::string address{};     // for messages
  std::string user{};
  std::string password{};
  std::string client_name{};
  int database = 0;
  bool tracking = false;
  bool broadcast = false;    // tracking in the mode of that name, of keys that begin so:
  std::vector<std::string> prefixes{};
  bool read_only = false;    // READONLY: reads from a cluster's replica
  bool must_be_primary = false;  // ROLE is checked: the address came from a sentinel
  bool sentinel = false;     // it must be a sentinel, of which nothing else is asked
};

/// All commands go out as one piece. Thread safety: none.
class handshake {
 public:
  enum class state {
    going_on,
    ready,
    failed,     // `failure()`; another attempt may succeed (LOADING, a replica where a primary should be)
    refused,    // `failure()`; another attempt will fail, too (wrong password, no RESP3)
  };

  explicit handshake(const greeting& how);

  std::string_view bytes() const noexcept { return bytes_; }
  state on_reply(const resp::view& reply);

  const error& failure() const noexcept { return failure_; }
  const redis::capabilities& found() const noexcept { return found_; }
  /// CLIENT ID's answer.
  std::int64_t client_id() const noexcept { return client_id_; }

 private:
  enum class step { hello, select, tracking, read_only, client_id, role, ping, set_info, commands, docs };

  void add_tracking();
  void add(step what, std::initializer_list<std::string_view> arguments);
  state on_error(step at, std::string_view text);
  state fail_with(state verdict, boost::system::error_code code, std::string why);
  void probe_commands(const resp::view& reply);

  greeting how_;
  std::string bytes_;
  std::vector<step> steps_;
  std::size_t next_ = 0;
  error failure_{errc::closed};
  redis::capabilities found_;
  std::int64_t client_id_ = 0;
};

}  // namespace seawall::redis
