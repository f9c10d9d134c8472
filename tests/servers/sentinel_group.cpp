#include "servers/sentinel_group.hpp"
#include "servers/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace seawall::servers {
namespace {

using std::chrono::milliseconds;

// An answer of a server that may be down: then an error.
reply ask(const redis_server& server, const arguments& command) {
  try {
    return server.try_run(command);
  } catch (const std::runtime_error& down) { return {.type = '-', .text = down.what()}; }
}

// Whether a sentinel reaches that other one. "master_down" says only what the other said of the primary when it was
// asked last, which some servers remember when that is over.
bool reaches(const reply& other) {
  const std::string flags = "," + other["flags"] + ",";
  const auto has = [&flags](const char* flag) { return flags.find(flag) != flags.npos; };
  return has(",sentinel,") && !has(",s_down,") && !has(",disconnected,");
}

}  // namespace

std::unique_ptr<sentinel_group> sentinel_group::start(sentinel_options how) {
  std::unique_ptr<sentinel_group> group{new sentinel_group{std::move(how)}};
  group->launch_servers();
  group->launch_sentinels();
  group->wait_healthy();
  return group;
}

void sentinel_group::use_tls(redis_options& options) const {
  if (!how_.tls) return;
  options.tls = tls_mode::on;
  options.config.emplace_back("tls-replication yes");  // a sentinel's own connections, too
}

void sentinel_group::launch_servers() {
  for (std::size_t i = 0; i <= how_.replicas; ++i) {
    redis_options options{.password = how_.password, .config = how_.config};
    use_tls(options);
    // The proxy comes first, for the server must announce its port; where it leads is known afterwards.
    if (how_.proxied) {
      proxies_.push_back(std::make_unique<tcp_proxy>(0));
      options.config.push_back(fmt::format("replica-announce-port {}", proxies_.back()->port()));
    }
    if (i > 0) options.replica_of = port(0);
    servers_.push_back(redis_server::launch(std::move(options)));
    if (how_.proxied) proxies_.back()->retarget(servers_.back()->port());
  }
  for (auto& server : servers_) server->wait_ready();
}

void sentinel_group::launch_sentinels() {
  for (std::size_t i = 0; i < how_.sentinels; ++i) {
    redis_options options{.sentinel = true};
    options.config = {
        fmt::format("sentinel monitor {} 127.0.0.1 {} {}", how_.name, port(0), how_.quorum),
        fmt::format("sentinel down-after-milliseconds {} {}", how_.name, how_.down_after.count()),
        fmt::format("sentinel failover-timeout {} {}", how_.name, how_.failover_timeout.count()),
    };
    use_tls(options);
    if (!how_.password.empty()) {
      options.config.push_back(fmt::format("sentinel auth-pass {} {}", how_.name, how_.password));
    }
    sentinels_.push_back(redis_server::launch(std::move(options)));
  }
  for (auto& sentinel : sentinels_) {
    sentinel->wait_ready();
    // Seconds by default. The first PING after a change of the primary goes out one period later and must be answered
    // within `down_after`; a replica may be promoted if its INFO, which comes every second while the primary is down,
    // is no older than five PING periods. A server without SENTINEL DEBUG refuses, and all takes longer.
    sentinel->try_run({"SENTINEL", "DEBUG", "INFO-PERIOD", "500", "PUBLISH-PERIOD", "200", "ASK-PERIOD", "200",
                       "PING-PERIOD", "300", "TILT-PERIOD", "1000"});
  }
}

std::vector<std::uint16_t> sentinel_group::sentinel_ports() const {
  std::vector<std::uint16_t> ports;
  for (const auto& sentinel : sentinels_) ports.push_back(how_.tls ? sentinel->tls_port() : sentinel->port());
  return ports;
}

std::uint16_t sentinel_group::port(std::size_t which) const {
  if (how_.proxied) return proxies_.at(which)->port();
  return how_.tls ? servers_.at(which)->tls_port() : servers_.at(which)->port();
}

std::optional<std::size_t> sentinel_group::primary_by(std::size_t sentinel) const {
  const auto address = ask(*sentinels_.at(sentinel), {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", how_.name});
  if (address.elements.size() != 2) return std::nullopt;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (address.elements[1] == std::to_string(port(i))) return i;
  }
  return std::nullopt;
}

std::size_t sentinel_group::wait_primary_other_than(std::size_t old) {
  std::optional<std::size_t> found;
  const auto agreed = [&] {
    found.reset();
    for (std::size_t i = 0; i < sentinels_.size(); ++i) {
      if (!sentinels_[i]->alive()) continue;
      const auto named = primary_by(i);
      if (!named || (found && *found != *named)) return false;
      found = named;
    }
    if (!found || *found == old || !servers_[*found]->alive()) return false;
    const auto role = ask(*servers_[*found], {"ROLE"});
    return !role.elements.empty() && role.elements[0] == "master";
  };
  wait_until("the sentinels agree on a primary", agreed, std::chrono::seconds{60});
  return *found;
}

std::size_t sentinel_group::failover() {
  const auto old = primary();
  // Refused (NOGOODSLAVE, INPROG) while a sentinel has no fresh information, or another failover is not over.
  const auto begun = [&] { return !ask(sentinel(0), {"SENTINEL", "FAILOVER", how_.name}).is_error(); };
  wait_until("SENTINEL FAILOVER is accepted", begun);
  return wait_primary_other_than(old);
}

bool sentinel_group::sentinel_knows_all(const redis_server& sentinel) const {
  const auto primary = ask(sentinel, {"SENTINEL", "MASTER", how_.name});
  if (primary["flags"] != "master" || primary["num-slaves"] != std::to_string(how_.replicas) ||
      primary["num-other-sentinels"] != std::to_string(how_.sentinels - 1)) {
    return false;
  }
  const auto replicas = ask(sentinel, {"SENTINEL", "REPLICAS", how_.name}).elements;
  const auto others = ask(sentinel, {"SENTINEL", "SENTINELS", how_.name}).elements;
  return std::ranges::all_of(replicas,
                             [](const reply& r) {
                               return r["flags"] == "slave" && r["role-reported"] == "slave" &&
                                      r["master-link-status"] == "ok";
                             }) &&
         std::ranges::all_of(others, reaches);
}

bool sentinel_group::in_sync(std::size_t primary) {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const auto role = ask(*servers_[i], {"ROLE"});
    if (role.elements.size() < 3) return false;
    if (i == primary) {
      if (role.elements[0] != "master" || role.elements[2].elements.size() != how_.replicas) return false;
    } else if (role.elements[0] != "slave" || role.elements[2].text != std::to_string(port(primary)) ||
               role.elements[3] != "connected") {
      return false;
    }
  }
  return true;
}

void sentinel_group::wait_healthy() {
  const auto healthy = [this] {
    const auto named = primary_by(0);
    return named && in_sync(*named) &&
           std::ranges::all_of(sentinels_, [this](const auto& each) { return sentinel_knows_all(*each); });
  };
  wait_until("the sentinels know all servers and each other", healthy, std::chrono::seconds{60});
  primary();
}

}  // namespace seawall::servers
