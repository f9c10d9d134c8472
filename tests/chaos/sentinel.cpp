// A primary, a replica and three sentinels. Servers are known by proxies, which all workers, sentinels and the other
// server go through.
#include "primaries_watch.hpp"
#include "topology.hpp"

#include "servers/sentinel_group.hpp"
#include "servers/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using seawall::servers::pause_between_tries;
using seawall::servers::redis_server;
using seawall::servers::sentinel_group;

class sentinel final : public topology {
 public:
  sentinel(truth& shared, diary& log)
      : group_(sentinel_group::start({.replicas = 1, .proxied = true})),
        watch_(shared, log, {group_->server(0).port(), group_->server(1).port()}, 1) {}

  std::string url(std::size_t) const override {
    return fmt::format("redis+sentinel://127.0.0.1:{}/{}", fmt::join(group_->sentinel_ports(), ",127.0.0.1:"),
                       group_->name());
  }

  // Longer, and the sentinels take the primary for dead while it lives: two primaries.
  std::vector<fault> network_faults() override {
    return proxy_faults(
        group_->size(), [this](std::size_t which) -> seawall::servers::tcp_proxy& { return group_->proxy(which); },
        "link of server", 300ms);
  }

  std::vector<fault> server_faults() override {
    const auto primary = [this](dice&) { return fmt::format("server {}", group_->primary()); };
    const auto any = [this](dice& chance) { return fmt::format("server {}", chance.below(group_->size())); };
    const auto watcher = [this](dice& chance) { return fmt::format("sentinel {}", chance.below(group_->sentinels())); };
    const auto server = [this](std::size_t which) -> redis_server& { return group_->server(which); };
    auto all = common_server_faults(any, primary, server, 300ms);
    const auto add = [&](const char* name, const char* what, unsigned weight, auto holds, begun (sentinel::*how)(
                                                                                      dice&, std::size_t)) {
      all.push_back({name, what, weight, holds, [this, how](dice& chance, const std::string& held) {
                       return (this->*how)(chance, number_in(held));
                     }});
    };
    add("failover by SENTINEL FAILOVER", "failover", 1, primary, &sentinel::fails_over);
    add("failover of a killed primary", "failover", 2, primary, &sentinel::killed);
    add("failover of a stopped primary", "failover", 2, primary, &sentinel::stopped);
    add("primary killed and back at once", "servers", 2, primary, &sentinel::restarted);
    add("replica killed", "servers", 1, any, &sentinel::replica_killed);
    add("sentinel killed", "failover", 1, watcher, &sentinel::sentinel_killed);
    return all;
  }

  void heal() override {
    for (std::size_t i = 0; i != group_->size(); ++i) {
      group_->proxy(i).release();
      group_->server(i).resume();
      if (!group_->server(i).alive()) group_->server(i).restart();
    }
    group_->wait_healthy();
  }

  bool had_two_primaries(std::int64_t moment) const override { return watch_.covers(moment); }

 private:
  begun fails_over(dice&, std::size_t old) {
    watch_.may_begin();
    try {
      const auto next = group_->failover();
      group_->wait_healthy();
      watch_.may_end();
      return {.text = fmt::format("SENTINEL FAILOVER: from server {} to {}", old, next)};
    } catch (...) {
      watch_.may_end();
      throw;
    }
  }

  // Nobody is answered by the old one any more when it comes back: it is empty, and the sentinels name the other.
  begun replaced(dice& chance, std::size_t old, const char* how) {
    const auto next = group_->wait_primary_other_than(old);
    pause_between_tries(std::chrono::milliseconds{chance.below(2000)});
    group_->server(old).restart();
    group_->wait_healthy();
    return {.text = fmt::format("server {} {}; server {} was promoted, and server {} is a replica now", old, how, next,
                                old)};
  }

  begun killed(dice& chance, std::size_t old) {
    group_->server(old).kill();
    return replaced(chance, old, "was killed");
  }

  begun stopped(dice& chance, std::size_t old) {
    group_->server(old).pause();
    group_->wait_primary_other_than(old);
    group_->server(old).kill();
    return replaced(chance, old, "was stopped, and killed after the failover");
  }

  begun restarted(dice&, std::size_t which) {
    group_->server(which).restart();
    return {.text = fmt::format("server {} was killed and is back without data", which)};
  }

  begun replica_killed(dice& chance, std::size_t) {
    const std::size_t which = 1 - group_->primary();
    group_->server(which).kill();
    pause_between_tries(std::chrono::milliseconds{chance.below(500)});
    group_->server(which).restart();
    return {.text = fmt::format("the replica, server {}, was killed and is back", which)};
  }

  begun sentinel_killed(dice& chance, std::size_t which) {
    group_->sentinel(which).kill();
    const std::chrono::milliseconds away{200 + chance.below(2000)};
    return {.text = fmt::format("sentinel {} is killed, and back after {} ms", which, away.count()),
            .lasts = away,
            .mend = [this, which] { group_->sentinel(which).restart(); }};
  }

  std::unique_ptr<sentinel_group> group_;
  primaries_watch watch_;
};

}  // namespace

std::unique_ptr<topology> make_sentinel(truth& shared, diary& log) { return std::make_unique<sentinel>(shared, log); }

}  // namespace chaos
