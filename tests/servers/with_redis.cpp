// with_redis PROGRAM [ARGUMENT...]: runs a program beside a private server, whose URL is in REDIS_URL, and ends as the
// program does. Status 77: no server can be started here.
#include "servers/beside.hpp"
#include "servers/redis_server.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  namespace servers = seawall::servers;
  if (argc < 2) {
    std::cerr << "usage: with_redis PROGRAM [ARGUMENT...]\n";
    return 2;
  }
  if (!servers::server_available()) {
    std::cerr << servers::why_no_server() << '\n';
    return servers::skipped;
  }
  try {
    const auto server = servers::redis_server::start();
    setenv("REDIS_URL", ("redis://127.0.0.1:" + std::to_string(server->port())).c_str(), 1);
    return servers::run_beside(argv + 1);
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 2;
  }
}
