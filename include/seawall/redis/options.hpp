// options: how a client reaches its servers, and the limits it keeps.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/log.hpp"
#include "seawall/base/result.hpp"
#include "seawall/net/tls.hpp"
#include "seawall/redis/tracking.hpp"
#include "seawall/resp/kind.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace seawall::redis {

/// Which server of a primary and its replicas answers reads.
enum class read_from {
  primary,         ///< Never stale by replication.
  prefer_replica,  ///< A replica, or the primary if there is none.
};

/// Waiting times between attempts to connect: doubled from `first` up to `most`, each cut by a random part of up to a
/// half, so that clients which lost a server together do not come back together.
struct backoff_options {
  duration first = std::chrono::milliseconds{50};
  duration most = std::chrono::seconds{2};
};

/// Everything has a default; `url` alone is enough.
struct options {
  /// redis://[user[:password]@]host[:port][/database], rediss:// for TLS, unix://[user:password@]/path[?db=n],
  /// redis+sentinel://host1,host2:26379/primary-name[/database], redis+cluster://host1,host2:7000 (and rediss+...).
  /// User and password are those of the servers; a sentinel gets them only if it asks for a login. A server is taken as
  /// the primary if more than half of the sentinels name it, those included that the given ones tell about.
  std::string url = "redis://127.0.0.1:6379";
  std::string user = {};                  ///< ACL user; overrides the URL's.
  std::string password = {};              ///< Overrides the URL's. Never logged.
  std::optional<int> database = {};       ///< Overrides the URL's; 0 to 65535. A cluster has database 0 only.
  std::string client_name = {};           ///< CLIENT SETNAME, for CLIENT LIST; the label of exported counters.
  net::tls_options tls = {};              ///< Used with rediss:// and the like.

  int connections = 1;                    ///< Multiplexed connections to each server, 1 to 64. Keys are spread by hash.
  int max_dedicated = 64;                 ///< Connections to each server for blocking commands, 1 to 4096.
  redis::read_from read_from = redis::read_from::primary;

  duration command_timeout = std::chrono::seconds{1};        ///< From submit to reply, queueing and retries included.
  duration connect_timeout = std::chrono::seconds{2};        ///< Name, TCP, TLS and greeting, together.
  duration health_interval = std::chrono::seconds{5};        ///< Silence after which PING is sent; a dead peer is
                                                             ///< noticed within two of these.
  backoff_options backoff = {};
  int max_retries = 3;                                       ///< Repetitions of one command, 0 to 100.
  int max_redirects = 16;                                    ///< MOVED and ASK of one command, 1 to 100.

  std::size_t max_queued_commands = 65536;                   ///< On each connection, waiting and in flight.
  std::size_t max_queued_bytes = std::size_t{64} << 20;      ///< Of their bytes.
  resp::limits reply_limits = {};

  /// Client-side caching: see tracking.hpp.
  std::shared_ptr<tracking_listener> tracking = nullptr;
  redis::tracking_mode tracking_mode = redis::tracking_mode::reads;

  /// Runs the client on this context instead of a thread of its own: an executor of a boost::asio::io_context (or a
  /// strand of it) that the user runs. A blocking call from a handler of that context is refused, on whatever thread.
  boost::asio::any_io_executor executor = {};
  std::shared_ptr<seawall::clock> clock = nullptr;           ///< None: the machine's monotonic clock.
  log_hook log = nullptr;
};

}  // namespace seawall::redis
