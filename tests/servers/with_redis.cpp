// with_redis [--cluster | --sentinel] PROGRAM [ARGUMENT...]: runs a program beside private servers, and ends as the
// program does. REDIS_URL is what a client connects to, REDIS_SERVERS the port of each server that may hold keys.
// Status 77: no server can be started here.
#include "servers/beside.hpp"
#include "servers/cluster.hpp"
#include "servers/redis_server.hpp"
#include "servers/sentinel_group.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace servers = seawall::servers;

namespace {

int run(char** command, const std::string& url, const std::vector<std::uint16_t>& ports) {
  setenv("REDIS_URL", url.c_str(), 1);
  setenv("REDIS_SERVERS", fmt::format("{}", fmt::join(ports, " ")).c_str(), 1);
  return servers::run_beside(command);
}

std::string hosts(const std::vector<std::uint16_t>& ports) {
  std::vector<std::string> all;
  for (const auto port : ports) all.push_back(fmt::format("127.0.0.1:{}", port));
  return fmt::format("{}", fmt::join(all, ","));
}

template <class Group>
std::vector<std::uint16_t> ports_of(const Group& group) {
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i != group.size(); ++i) ports.push_back(group.port(i));
  return ports;
}

int run_beside_cluster(char** command) {
  const auto nodes = servers::cluster::start();
  const auto ports = ports_of(*nodes);
  return run(command, "redis+cluster://" + hosts(ports), ports);
}

int run_beside_sentinels(char** command) {
  const auto group = servers::sentinel_group::start();
  return run(command, fmt::format("redis+sentinel://{}/{}", hosts(group->sentinel_ports()), group->name()),
             ports_of(*group));
}

int run_beside_one(char** command) {
  const auto server = servers::redis_server::start();
  return run(command, fmt::format("redis://127.0.0.1:{}", server->port()), {server->port()});
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view topology = argc > 1 && std::string_view(argv[1]).starts_with("--") ? argv[1] : "";
  char** const command = argv + (topology.empty() ? 1 : 2);
  if (*command == nullptr || (!topology.empty() && topology != "--cluster" && topology != "--sentinel")) {
    std::cerr << "usage: with_redis [--cluster | --sentinel] PROGRAM [ARGUMENT...]\n";
    return 2;
  }
  if (!servers::server_available()) {
    std::cerr << servers::why_no_server() << '\n';
    return servers::skipped;
  }
  try {
    if (topology == "--cluster") return run_beside_cluster(command);
    if (topology == "--sentinel") return run_beside_sentinels(command);
    return run_beside_one(command);
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 2;
  }
}
