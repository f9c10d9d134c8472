// services: what all parts of one client share.
#pragma once

#include "endpoint.hpp"
#include "seawall/base/clock.hpp"
#include "seawall/base/random.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/net/connector.hpp"
#include "seawall/redis/capabilities.hpp"
#include "seawall/redis/options.hpp"
#include "seawall/redis/stats.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace seawall::redis {

using cmd::request;

class connection;

/// Everything is used on the client's executor only, unless it says otherwise.
struct services {
  redis::options options;
  redis::endpoint endpoint;
  boost::asio::any_io_executor executor;
  std::shared_ptr<seawall::clock> clock;
  random_source random;
  net::connect_options connecting;
  std::shared_ptr<stats_counters> counted = std::make_shared<stats_counters>();  // shared with exporters
  stats_counters& counters = *counted;
  std::mutex found_mutex;
  capabilities found;             // guarded by found_mutex: of the server that was greeted last
  std::uint64_t generations = 0;  // of connections, given out so far

  /// Connections with requests that were queued since the last flush.
  std::vector<std::shared_ptr<connection>> dirty;
  std::vector<std::shared_ptr<connection>> spare;  // its memory

  /// Writes what these have to write, and what comes up meanwhile.
  void flush_dirty();

  template <class... Args>
  void log(log_level level, fmt::format_string<Args...> text, const Args&... args) const {
    if (options.log) options.log(level, fmt::vformat(text, fmt::make_format_args(args...)));
  }
};

/// A way that some requests go instead of the router's: `request::book.lane` points to it.
class lane {
 public:
  virtual ~lane() = default;
  virtual void route(request& asked) = 0;
};

/// Where a request is while a client has it; `request::book.where` points to it.
class holder {
 public:
  virtual ~holder() = default;
  /// Lets go of the request without ending it. True: it was written to a server, so it may have been applied.
  virtual bool forget(request& asked) = 0;
};

/// Ends requests: the one place that calls `request::on_end`.
class ender {
 public:
  virtual ~ender() = default;
  virtual void end(request& asked, const error* failure) = 0;
};

}  // namespace seawall::redis
