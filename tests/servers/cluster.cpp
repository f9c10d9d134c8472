#include "servers/cluster.hpp"
#include "servers/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace seawall::servers {
namespace {

using namespace std::chrono_literals;

// A line of CLUSTER NODES: <id> <address> <flags> <primary> <ping> <pong> <epoch> <link> <slots>...
struct node_line {
  std::string id, address, flags, primary, link;
  std::uint64_t epoch = 0;
  std::vector<std::string> slots;

  bool has(std::string_view flag) const { return ("," + flags + ",").find(fmt::format(",{},", flag)) != flags.npos; }
  bool claims(unsigned slot) const {
    return std::ranges::any_of(slots, [slot](const std::string& range) {
      const auto first = std::stoul(range);
      const auto dash = range.find('-');
      return first <= slot && slot <= (dash == range.npos ? first : std::stoul(range.substr(dash + 1)));
    });
  }
};

std::vector<node_line> cluster_nodes(const redis_server& node) {
  std::vector<node_line> found;
  std::istringstream text{node.run({"CLUSTER", "NODES"}).text};
  for (std::string line; std::getline(text, line);) {
    std::istringstream words{line};
    node_line next;
    std::string ping, pong;
    words >> next.id >> next.address >> next.flags >> next.primary >> ping >> pong >> next.epoch >> next.link;
    for (std::string slots; words >> slots;) {
      if (slots[0] != '[') next.slots.push_back(slots);  // '[': on the move
    }
    found.push_back(std::move(next));
  }
  return found;
}

node_line myself(const redis_server& node) {
  for (auto& line : cluster_nodes(node)) {
    if (line.has("myself")) return line;
  }
  throw std::runtime_error("CLUSTER NODES lacks the node itself");
}

}  // namespace

std::uint16_t slot_of(std::string_view key) {
  if (const auto open = key.find('{'); open != key.npos) {
    const auto close = key.find('}', open + 1);
    if (close != key.npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  unsigned crc = 0;  // CRC-16/XMODEM
  for (const unsigned char byte : key) {
    crc ^= unsigned{byte} << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000U) != 0 ? (crc << 1) ^ 0x1021U : crc << 1;
  }
  return static_cast<std::uint16_t>(crc & (slot_count - 1U));
}

std::string key_in(std::uint16_t slot, std::string_view suffix) {
  for (unsigned i = 0;; ++i) {
    if (slot_of(std::to_string(i)) == slot) return fmt::format("{{{}}}{}", i, suffix);
  }
}

std::unique_ptr<cluster> cluster::start(cluster_options how) {
  std::unique_ptr<cluster> made{new cluster{std::move(how)}};
  made->launch();
  made->introduce();
  made->attach_replicas();
  made->wait_ok();
  return made;
}

void cluster::launch() {
  for (std::size_t i = 0; i < how_.primaries * (1 + how_.replicas); ++i) {
    redis_options options{.password = how_.password, .tls = how_.tls ? tls_mode::on : tls_mode::off};
    options.config = {"cluster-enabled yes", "cluster-config-file nodes.conf", "cluster-allow-replica-migration no",
                      "cluster-replica-validity-factor 0",
                      fmt::format("cluster-node-timeout {}", how_.node_timeout.count())};
    if (how_.tls) options.config.insert(options.config.end(), {"tls-cluster yes", "tls-replication yes"});
    options.config.insert(options.config.end(), how_.config.begin(), how_.config.end());
    if (how_.proxied) {
      proxies_.push_back(std::make_unique<tcp_proxy>(0));
      options.config.push_back(fmt::format("cluster-announce-port {}", proxies_.back()->port()));
    }
    nodes_.push_back(redis_server::launch(std::move(options)));
    if (how_.proxied) proxies_.back()->retarget(nodes_.back()->port());
  }
  for (auto& node : nodes_) {
    node->wait_ready();
    ids_.push_back(node->run({"CLUSTER", "MYID"}).text);
  }
}

// Epochs and slots before the nodes meet, as afterwards they would have to be agreed upon. Every node meets all that
// follow it: gossip alone takes longer.
void cluster::introduce() {
  for (std::size_t i = 0; i < how_.primaries; ++i) {
    const auto bound = [this](std::size_t n) { return slot_count * n / how_.primaries; };
    nodes_[i]->run({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
    nodes_[i]->run({"CLUSTER", "ADDSLOTSRANGE", std::to_string(bound(i)), std::to_string(bound(i + 1) - 1)});
  }
  for (std::size_t i = 0; i < size(); ++i) {
    for (std::size_t j = i + 1; j < size(); ++j) {
      nodes_[i]->run(
          {"CLUSTER", "MEET", "127.0.0.1", std::to_string(port(j)), std::to_string(own_port(j) + bus_distance)});
    }
  }
}

void cluster::attach_replicas() {
  for (std::size_t i = how_.primaries; i < size(); ++i) {
    const auto& primary = ids_[(i - how_.primaries) % how_.primaries];
    const auto attached = [&] { return !nodes_[i]->try_run({"CLUSTER", "REPLICATE", primary}).is_error(); };
    wait_until("a replica knows its primary", attached);
  }
}

std::uint16_t cluster::own_port(std::size_t which) const {
  return how_.tls ? nodes_.at(which)->tls_port() : nodes_.at(which)->port();
}

std::uint16_t cluster::port(std::size_t which) const {
  return how_.proxied ? proxies_.at(which)->port() : own_port(which);
}

std::size_t cluster::node_with_port(std::uint16_t wanted) const {
  std::size_t which = 0;
  while (which < size() && port(which) != wanted) ++which;
  return which;
}

std::pair<std::size_t, std::uint64_t> cluster::owner_and_epoch(std::uint16_t slot) {
  std::pair<std::size_t, std::uint64_t> newest{size(), 0};
  for (std::size_t i = 0; i < size(); ++i) {
    if (!nodes_[i]->alive()) continue;
    const auto line = myself(*nodes_[i]);
    if (line.has("master") && line.claims(slot) && (newest.first == size() || line.epoch > newest.second)) {
      newest = {i, line.epoch};
    }
  }
  return newest;
}

std::size_t cluster::replica_of(std::size_t primary) {
  for (std::size_t i = 0; i < size(); ++i) {
    if (nodes_[i]->alive() && myself(*nodes_[i]).primary == ids_.at(primary)) return i;
  }
  return size();
}

void cluster::failover(std::size_t replica, const std::string& mode) {
  arguments command{"CLUSTER", "FAILOVER"};
  if (!mode.empty()) command.push_back(mode);
  nodes_.at(replica)->run(command);
  const auto known = [&] {
    view common;
    return agreed(common) && common.at(ids_[replica]).primary && !common.at(ids_[replica]).slots.empty();
  };
  wait_until("all nodes know the new primary", known);
  wait_ok();
}

std::size_t cluster::wait_owner_other_than(std::uint16_t slot, std::size_t old) {
  std::size_t found = size();
  wait_until("the slot has another owner", [&] { return (found = owner(slot)) != size() && found != old; });
  wait_ok();
  return found;
}

// What one node thinks of all. False if it is not sure: an unfinished handshake, a living node it calls failed.
bool cluster::sees(std::size_t which, view& result) {
  const auto lines = cluster_nodes(*nodes_[which]);
  if (lines.size() != size()) return false;
  for (const auto& line : lines) {
    const auto who = static_cast<std::size_t>(std::ranges::find(ids_, line.id) - ids_.begin());
    if (who == size() || line.has("handshake") || line.has("noaddr")) return false;
    if (!nodes_[who]->alive()) continue;
    if (line.has("fail") || line.has("fail?") || line.link != "connected") return false;
    result[line.id] = {line.has("master"), line.primary, fmt::format("{}", fmt::join(line.slots, " "))};
  }
  return true;
}

bool cluster::agreed(view& common) {
  bool first = true;
  for (std::size_t i = 0; i < size(); ++i) {
    if (!nodes_[i]->alive()) continue;
    view seen;
    if (!sees(i, seen) || (!first && seen != common)) return false;
    common = std::move(seen);
    first = false;
  }
  return !first;
}

bool cluster::serves(std::size_t which) {
  const auto state = nodes_[which]->run({"CLUSTER", "INFO"}).text;
  if (state.find("cluster_state:ok") == state.npos) return false;
  const auto role = nodes_[which]->run({"ROLE"});
  return role.elements.at(0) == "master" || role.elements.at(3) == "connected";
}

void cluster::wait_ok() {
  const auto ok = [this] {
    view common;
    if (!agreed(common)) return false;
    for (std::size_t i = 0; i < size(); ++i) {
      if (nodes_[i]->alive() && !serves(i)) return false;
    }
    return true;
  };
  wait_until("the cluster is whole", ok, 60s);
}

void slot_move::begin() {
  const auto slot = std::to_string(slot_);
  nodes_.node(to_).run({"CLUSTER", "SETSLOT", slot, "IMPORTING", nodes_.id(from_)});
  nodes_.node(from_).run({"CLUSTER", "SETSLOT", slot, "MIGRATING", nodes_.id(to_)});
}

std::size_t slot_move::keys(std::size_t most) {
  std::size_t moved = 0;
  while (moved < most) {
    const auto batch = std::min<std::size_t>(most - moved, 100);
    const auto found =
        nodes_.node(from_).run({"CLUSTER", "GETKEYSINSLOT", std::to_string(slot_), std::to_string(batch)}).elements;
    if (found.empty()) break;
    arguments command{"MIGRATE", "127.0.0.1", std::to_string(nodes_.own_port(to_)), "", "0", "5000"};
    if (!nodes_.how_.password.empty()) command.insert(command.end(), {"AUTH", nodes_.how_.password});
    command.emplace_back("KEYS");
    for (const auto& key : found) command.push_back(key.text);
    nodes_.node(from_).run(command);
    moved += found.size();
  }
  return moved;
}

// The new owner first: were the old one first and the new one died then, nobody would own the slot.
void slot_move::finish() {
  const arguments command{"CLUSTER", "SETSLOT", std::to_string(slot_), "NODE", nodes_.id(to_)};
  nodes_.node(to_).run(command);
  nodes_.node(from_).run(command);
  nodes_.wait_owner_other_than(slot_, from_);
}

void slot_move::abandon() {
  for (const auto which : {from_, to_}) {
    nodes_.node(which).run({"CLUSTER", "SETSLOT", std::to_string(slot_), "STABLE"});
  }
}

}  // namespace seawall::servers
