// Three primaries and three replicas, known by proxies.
#include "primaries_watch.hpp"
#include "topology.hpp"

#include "servers/cluster.hpp"
#include "servers/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using seawall::servers::pause_between_tries;
using seawall::servers::redis_server;
using seawall::servers::slot_count;

constexpr std::size_t primaries = 3;

std::vector<std::uint16_t> ports_of(seawall::servers::cluster& nodes) {
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i != nodes.size(); ++i) ports.push_back(nodes.node(i).port());
  return ports;
}

class cluster final : public topology {
 public:
  cluster(truth& shared, diary& log)
      : keys_(shared.keys()),
        nodes_(seawall::servers::cluster::start({.primaries = primaries, .replicas = 1, .proxied = true})),
        watch_(shared, log, ports_of(*nodes_), primaries) {}

  std::string url(std::size_t) const override {
    std::vector<std::string> all;
    for (std::size_t i = 0; i != nodes_->size(); ++i) all.push_back(fmt::format("127.0.0.1:{}", nodes_->port(i)));
    return fmt::format("redis+cluster://{}", fmt::join(all, ","));
  }

  // The bus has no proxies: nobody is taken for dead.
  std::vector<fault> network_faults() override {
    return proxy_faults(
        nodes_->size(), [this](std::size_t which) -> seawall::servers::tcp_proxy& { return nodes_->proxy(which); },
        "link of server", 1500ms);
  }

  std::vector<fault> server_faults() override {
    const auto primary = [this](dice& chance) { return fmt::format("server {}", primary_of(some_slot(chance))); };
    const auto any = [this](dice& chance) { return fmt::format("server {}", chance.below(nodes_->size())); };
    const auto nobody = [](dice&) { return std::string{}; };
    const auto server = [this](std::size_t which) -> redis_server& { return nodes_->node(which); };
    auto all = common_server_faults(any, primary, server, 400ms);
    const auto add = [&](const char* name, const char* what, unsigned weight, auto holds, begun (cluster::*how)(
                                                                                      dice&, std::size_t)) {
      all.push_back({name, what, weight, holds, [this, how](dice& chance, const std::string& held) {
                       return (this->*how)(chance, number_in(held));
                     }});
    };
    add("failover by CLUSTER FAILOVER", "failover", 2, primary, &cluster::fails_over);
    add("failover of a killed primary", "failover", 2, primary, &cluster::killed);
    add("failover of a stopped primary", "failover", 1, primary, &cluster::stopped);
    add("primary killed and back at once", "servers", 1, primary, &cluster::restarted);
    add("slots moved", "slots", 4, nobody, &cluster::moves);
    return all;
  }

  void heal() override {
    for (std::size_t i = 0; i != nodes_->size(); ++i) {
      nodes_->proxy(i).release();
      nodes_->node(i).resume();
      if (!nodes_->node(i).alive()) nodes_->node(i).restart();
      nodes_->node(i).run({"CONFIG", "SET", "maxmemory", "0"});
    }
    end_move();
    nodes_->wait_ok();
  }

  bool had_two_primaries(std::int64_t moment) const override { return watch_.covers(moment); }

 private:
  static std::uint16_t some_slot(dice& chance) { return static_cast<std::uint16_t>(chance.below(slot_count)); }
  std::size_t primary_of(std::uint16_t slot) {
    const std::size_t which = nodes_->owner(slot);
    if (which == nodes_->size()) throw std::runtime_error("nobody has the slot");
    return which;
  }
  std::uint16_t slot_of_node(std::size_t which) {
    for (std::uint16_t slot = 0; slot != slot_count; slot += 64) {
      if (nodes_->owner(slot) == which) return slot;
    }
    throw std::runtime_error("the node is no primary");
  }

  begun fails_over(dice&, std::size_t old) {
    const std::size_t replica = nodes_->replica_of(old);
    if (replica == nodes_->size()) throw std::runtime_error("it has no replica");
    watch_.may_begin();
    try {
      nodes_->failover(replica);
      watch_.may_end();
    } catch (...) {
      watch_.may_end();
      throw;
    }
    nodes_->wait_ok();
    return {.text = fmt::format("CLUSTER FAILOVER: from server {} to {}", old, replica)};
  }

  begun replaced(dice& chance, std::size_t old, std::uint16_t slot, const char* how) {
    const auto next = nodes_->wait_owner_other_than(slot, old);
    pause_between_tries(std::chrono::milliseconds{chance.below(2000)});
    nodes_->node(old).restart();
    nodes_->wait_ok();
    return {.text = fmt::format("server {} {}; server {} was promoted", old, how, next)};
  }

  begun killed(dice& chance, std::size_t old) {
    const std::uint16_t slot = slot_of_node(old);
    nodes_->node(old).kill();
    return replaced(chance, old, slot, "was killed");
  }

  begun stopped(dice& chance, std::size_t old) {
    const std::uint16_t slot = slot_of_node(old);
    nodes_->node(old).pause();
    nodes_->wait_owner_other_than(slot, old);
    nodes_->node(old).kill();
    return replaced(chance, old, slot, "was stopped, and killed after the failover");
  }

  begun restarted(dice&, std::size_t which) {
    nodes_->node(which).restart();
    nodes_->wait_ok();
    return {.text = fmt::format("server {} was killed and is back without data", which)};
  }

  /// One that a full server, for example, has stopped halfway: nothing is whole while a slot is open.
  void end_move() {
    if (!moving_) return;
    moving_->keys();
    moving_->finish();
    moving_.reset();
  }

  // Of keys that are there: others move nothing. Each slot once: one that comes back to a server may find there what it
  // was, which is not among the promises.
  begun moves(dice& chance, std::size_t) {
    std::size_t keys = 0;
    std::size_t slots = 0;
    for (std::size_t tries = 1 + chance.below(4); tries != 0; --tries) {
      const auto slot = seawall::servers::slot_of(fmt::format("rows:{}", chance.below(keys_)));
      if (!moved_.insert(slot).second) continue;
      const std::size_t from = primary_of(slot);
      std::size_t to = from;
      while (to == from) to = primary_of(some_slot(chance));
      auto& move = moving_.emplace(nodes_->move_slot(slot, to));
      move.begin();
      pause_between_tries(std::chrono::milliseconds{chance.below(100)});
      for (std::size_t moved = move.keys(1); moved != 0; moved = move.keys(1)) {
        keys += moved;
        pause_between_tries(std::chrono::milliseconds{chance.below(20)});
      }
      pause_between_tries(std::chrono::milliseconds{chance.below(100)});
      end_move();
      ++slots;
    }
    return {.text = fmt::format("{} slots moved, with {} keys", slots, keys)};
  }

  const std::size_t keys_;
  std::set<std::uint16_t> moved_;
  std::unique_ptr<seawall::servers::cluster> nodes_;
  std::optional<seawall::servers::slot_move> moving_;
  primaries_watch watch_;
};

}  // namespace

std::unique_ptr<topology> make_cluster(truth& shared, diary& log) { return std::make_unique<cluster>(shared, log); }

}  // namespace chaos
