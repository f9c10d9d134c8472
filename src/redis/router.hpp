// router: which server a request goes to. One implementation for each topology.
#pragma once

#include "node.hpp"
#include "waiting_room.hpp"

#include <memory>

namespace seawall::redis {

/// Thread safety: none; lives on the client's executor.
class router : public connection_owner {
 public:
  ~router() override = default;

  /// Sends the request on, parks it until the servers are known, or ends it.
  virtual void route(request& asked) = 0;
  virtual void close(const error& why) = 0;
  /// The server that a session for `asked`'s key belongs on; null: not known yet.
  virtual node* node_for(const request& asked) = 0;
  /// All servers that hold keys, for commands that go to each of them; empty: not known yet.
  virtual std::vector<node*> primaries() = 0;
  /// The servers may be others by now.
  virtual void refresh() {}
};

/// What routers need of the client's core.
class router_host : public ender {
 public:
  virtual services& shared() = 0;
  /// Takes in what callers submitted meanwhile, and writes.
  virtual void pump() = 0;
};

std::unique_ptr<router> make_standalone_router(router_host& host);
std::unique_ptr<router> make_sentinel_router(router_host& host);
std::unique_ptr<router> make_cluster_router(router_host& host);

}  // namespace seawall::redis
