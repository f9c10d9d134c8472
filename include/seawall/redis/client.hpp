// client: Redis or Valkey, standalone, behind Sentinel, or as a Cluster.
//
//     auto redis = seawall::redis::client::connect({.url = "redis://127.0.0.1:6379"});
//     if (!redis) return redis.error();
//     redis->run(cmd::set("user:42", "ada", {.ex = 10min}));
//     result<std::optional<std::string>> name = redis->run(cmd::get("user:42"));
//     auto [hits, value] = redis->run(cmd::incr("hits"), cmd::get("user:42"));            // one round trip
//     auto later = co_await redis->async_run(cmd::get("user:42"), boost::asio::use_awaitable);
//     auto any = redis->command({"OBJECT", "ENCODING", "user:42"});
//
// All callers share one connection to each server; what they submit at the same time is sent together. Nothing connects
// before the first command. A broken connection is made anew in the background; meanwhile commands wait, up to their
// timeout. A command is sent a second time only if that cannot change what it does (cmd::effect).
//
// In a cluster, a command goes to the server that holds its keys, wherever they move meanwhile. The keys of one
// command, or of one transaction, must lie in one slot (errc::cross_slot). MGET, MSET, DEL, UNLINK, EXISTS and TOUCH
// are split: each slot gets a command of its own, at the same time, and the replies become one. Together these are not
// atomic: others see an MSET half done, and if one part fails, the error says which keys it was applied to. DBSIZE,
// KEYS, FLUSHDB, FLUSHALL, SCRIPT LOAD and FLUSH, FUNCTION LOAD, DELETE, FLUSH and RESTORE go to all primaries, SCAN
// walks over all of them; other commands without keys (CONFIG, INFO) go to any one primary.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/cmd/async.hpp"
#include "seawall/cmd/run.hpp"
#include "seawall/metrics/counter_source.hpp"
#include "seawall/redis/capabilities.hpp"
#include "seawall/redis/options.hpp"
#include "seawall/redis/session.hpp"
#include "seawall/redis/stats.hpp"
#include "seawall/redis/subscriber.hpp"
#include "seawall/resp/value.hpp"

#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::redis {

class core;

/// A handle: copies share one client, whose last handle closes it; commands that are under way then end with
/// errc::closed. Thread safety: all members may be called from any thread, also on one handle.
class client {
 public:
  /// Checks the options and reads TLS files; connects to nothing yet. Errors (errc::invalid_argument) name the option.
  static result<client> connect(options how = {});

  /// Runs a command, or several as one pipeline, or a vector of them; see cmd/run.hpp for results and errors.
  /// Blocks. In a handler that runs on the client's executor it would wait for itself: there, as all blocking calls, it
  /// sends nothing and answers boost::system::errc::resource_deadlock_would_occur at once.
  template <class... What>
  auto run(const What&... what) {
    return cmd::run(target(), what...);
  }

  /// Runs commands as MULTI ... EXEC.
  template <class... What>
  auto transaction(const What&... what) {
    return cmd::transaction(target(), what...);
  }

  /// Runs a command that has no function of its own, given as its words.
  result<resp::value> command(std::initializer_list<std::string_view> words);
  result<resp::value> command(std::span<const std::string_view> words);

  /// The same for Boost.Asio: the last argument is the completion token; see cmd/async.hpp.
  template <class... WhatAndToken>
  auto async_run(WhatAndToken&&... what_and_token) {
    return cmd::async_run(target(), std::forward<WhatAndToken>(what_and_token)...);
  }
  template <class... WhatAndToken>
  auto async_transaction(WhatAndToken&&... what_and_token) {
    return cmd::async_transaction(target(), std::forward<WhatAndToken>(what_and_token)...);
  }

  /// A connection of its own for WATCH and other commands that belong to a connection's state, to the server that holds
  /// `key` (in a cluster; elsewhere it does not matter).
  session open_session(std::string_view key = {});

  /// Listens to what others publish, on connections of its own: see subscriber.hpp. Waits until the servers have
  /// confirmed all topics; an error is that of the arguments (which names them), of a server, or errc::timed_out.
  result<subscription> subscribe(const topics& what, message_handler handler, subscription_options how = {});

  /// For whatever is written against a target: sessions, locks, limits.
  cmd::target& target() noexcept;

  /// Waits until a server answers PING, or for the command timeout: the answer says why none does. For start-up checks;
  /// no command needs it.
  result<void> check();

  /// The options that it was made with, password included. They live as long as the client.
  const options& configuration() const noexcept;

  /// What the server that answered last can do; nothing before the first connection.
  redis::capabilities capabilities() const;

  redis::stats stats() const;
  /// A cluster: asks a node for the map of the slots soon, as the client does by itself after a redirection, a failure,
  /// and once in a minute. More often than a few times in a second has no effect. Others: does nothing.
  void refresh_topology() const;
  /// For exporters, with `options::client_name` as the label `client`; they hold it weakly, so a client whose last
  /// handle is gone is no longer exported. It keeps nothing of the client open.
  std::shared_ptr<const counter_source> stats_handle() const;

  /// The executor of the client's I/O. A coroutine that runs here resumes without a switch between threads.
  boost::asio::any_io_executor get_executor() const;

  /// Ends everything that is under way with errc::closed, and all later commands, of all copies. Idempotent.
  void close();

 private:
  struct handle;
  explicit client(std::shared_ptr<handle> made) : handle_(std::move(made)) {}
  const std::shared_ptr<redis::core>& core() const noexcept;

  std::shared_ptr<handle> handle_;
};

}  // namespace seawall::redis
