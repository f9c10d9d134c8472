// topology: the servers of a run, and what can be done to them.
#pragma once

#include "schedule.hpp"
#include "truth.hpp"

#include "servers/redis_server.hpp"
#include "servers/tcp_proxy.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chaos {

/// Thread safety: `server_faults` run on one thread, `network_faults` on another.
class topology {
 public:
  virtual ~topology() = default;

  /// How the worker reaches the servers.
  virtual std::string url(std::size_t worker) const = 0;
  /// What the worker reaches them through, if it has a proxy of its own.
  virtual seawall::servers::tcp_proxy* link(std::size_t) { return nullptr; }
  virtual std::vector<fault> network_faults() = 0;
  virtual std::vector<fault> server_faults() = 0;
  /// Returns when all servers serve, undisturbed.
  virtual void heal() = 0;
  /// Whether there may have been two primaries at that moment, as far as is known later.
  virtual bool had_two_primaries(std::int64_t) const { return false; }
};

std::unique_ptr<topology> make_single(truth& shared, diary& log);
std::unique_ptr<topology> make_sentinel(truth& shared, diary& log);
std::unique_ptr<topology> make_cluster(truth& shared, diary& log);

// --- faults that several topologies have ----------------------------------------------------------------------------

/// Finds a server for a fault: its name, "server N".
using choose_server = std::function<std::string(dice&)>;
using server_of = std::function<seawall::servers::redis_server&(std::size_t)>;
/// The number behind the last space of a name.
std::size_t number_in(std::string_view name);

/// Faults of the connections that go through proxies; `longest` limits those that look like a dead server.
std::vector<fault> proxy_faults(std::size_t count, std::function<seawall::servers::tcp_proxy&(std::size_t)> proxy,
                                std::string name, std::chrono::milliseconds longest);
/// What every server can suffer without losing its role: freezes, flushes, lost clients and scripts, want of memory.
std::vector<fault> common_server_faults(const choose_server& choose, const choose_server& choose_primary,
                                        const server_of& server,
                                        std::chrono::milliseconds longest_freeze);

}  // namespace chaos
