// cluster: a Redis Cluster of primaries and replicas, whose slots move when a test says so.
//
//     auto nodes = cluster::start();
//     auto move = nodes->move_slot(slot, 2);
//     move.begin();  move.keys(1);  move.finish();     // ASK and TRYAGAIN between begin and finish, MOVED after it
//     nodes->failover(3);                              // node 3, a replica, becomes the primary
#pragma once

#include "servers/redis_server.hpp"
#include "servers/tcp_proxy.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::servers {

inline constexpr std::uint16_t slot_count = 16'384;

/// The slot of a key, hash tags included (Redis Cluster specification, "Key distribution model").
std::uint16_t slot_of(std::string_view key);
/// A key of the slot: a hash tag that falls there, and `suffix` behind it.
std::string key_in(std::uint16_t slot, std::string_view suffix = {});

struct cluster_options {
  std::size_t primaries = 3;
  std::size_t replicas = 1;  ///< Of each primary.
  std::chrono::milliseconds node_timeout{1000};
  /// Nodes and clients know each node by the port of a tcp_proxy before it; the cluster bus has none.
  bool proxied = false;
  bool tls = false;  ///< Nodes and clients know each node by its TLS port, and nodes talk TLS, too. Not with `proxied`.
  std::string password = {};
  std::vector<std::string> config = {};  ///< More lines for all nodes.
};

class cluster;

/// A slot on its way from one primary to another, step by step.
class slot_move {
 public:
  /// IMPORTING on the new owner, MIGRATING on the old one: keys that are gone from the old one are answered by ASK.
  void begin();
  /// MIGRATE: at most so many keys. Returns how many it moved.
  std::size_t keys(std::size_t most = std::numeric_limits<std::size_t>::max());
  /// SETSLOT NODE everywhere, when all keys are moved; returns when all living nodes know.
  void finish();
  /// STABLE on both: the slot stays where it was. Keys that were moved are lost to clients.
  void abandon();

  std::uint16_t slot() const noexcept { return slot_; }
  std::size_t from() const noexcept { return from_; }
  std::size_t to() const noexcept { return to_; }

 private:
  friend class cluster;
  slot_move(cluster& nodes, std::uint16_t slot, std::size_t from, std::size_t to)
      : nodes_(nodes), slot_(slot), from_(from), to_(to) {}

  cluster& nodes_;
  std::uint16_t slot_;
  std::size_t from_;
  std::size_t to_;
};

/// Nodes have the numbers 0 to size() - 1: first the primaries, then the replicas; node `primaries + i` replicates
/// `i % primaries`. Slots are spread evenly. Waits throw std::runtime_error. Thread safety: none.
class cluster {
 public:
  /// Returns when all nodes agree, all slots are served, and all replicas are in sync. A node of Redis waits two
  /// seconds after its start before it serves slots, so this takes a little longer.
  static std::unique_ptr<cluster> start(cluster_options how = {});

  std::size_t size() const noexcept { return nodes_.size(); }
  redis_server& node(std::size_t which) { return *nodes_.at(which); }
  const std::string& id(std::size_t which) const { return ids_.at(which); }
  /// Only with `proxied`.
  tcp_proxy& proxy(std::size_t which) { return *proxies_.at(which); }
  /// By which nodes and clients know the node: its own port, its TLS port, or its proxy's.
  std::uint16_t port(std::size_t which) const;
  /// The node with this port; size() if there is none.
  std::size_t node_with_port(std::uint16_t port) const;

  /// The living primary that claims the slot, by the newest epoch; size() if there is none.
  std::size_t owner(std::uint16_t slot) { return owner_and_epoch(slot).first; }
  /// A living node that calls itself a replica of this one; size() if there is none.
  std::size_t replica_of(std::size_t primary);
  /// Nothing is done before the first step.
  slot_move move_slot(std::uint16_t slot, std::size_t to) { return {*this, slot, owner(slot), to}; }

  /// CLUSTER FAILOVER on a replica, with a mode of "", "FORCE" or "TAKEOVER"; returns when all living nodes know.
  void failover(std::size_t replica, const std::string& mode = {});
  /// Until some node other than `old` claims the slot and all living nodes know. Returns it.
  std::size_t wait_owner_other_than(std::uint16_t slot, std::size_t old);
  /// Until all living nodes have the same view, all slots are served and living replicas in sync.
  void wait_ok();

 private:
  friend class slot_move;
  /// What a node thinks of one node.
  struct opinion {
    bool primary = false;
    std::string replicates = {};
    std::string slots = {};
    bool operator==(const opinion&) const = default;
  };
  using view = std::map<std::string, opinion>;  // by id

  explicit cluster(cluster_options how) : how_(std::move(how)) {}
  void launch();
  void introduce();
  void attach_replicas();
  std::uint16_t own_port(std::size_t which) const;
  std::pair<std::size_t, std::uint64_t> owner_and_epoch(std::uint16_t slot);
  bool sees(std::size_t which, view& result);
  bool agreed(view& common);
  bool serves(std::size_t which);

  cluster_options how_;
  std::vector<std::unique_ptr<redis_server>> nodes_;
  std::vector<std::unique_ptr<tcp_proxy>> proxies_;
  std::vector<std::string> ids_;
};

}  // namespace seawall::servers
