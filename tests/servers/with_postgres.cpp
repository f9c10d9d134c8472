// with_postgres PROGRAM [ARGUMENT...]: runs a program beside a private server, whose URL is in POSTGRES_URL, and ends
// as the program does. Status 77: no server can be started here.
#include "servers/beside.hpp"
#include "servers/postgres_server.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>

int main(int argc, char** argv) {
  namespace servers = seawall::servers;
  if (argc < 2) {
    std::cerr << "usage: with_postgres PROGRAM [ARGUMENT...]\n";
    return 2;
  }
  if (!servers::why_no_postgres().empty()) {
    std::cerr << servers::why_no_postgres() << '\n';
    return servers::skipped;
  }
  try {
    const auto server = servers::postgres_server::start({.config = {"wal_level = logical"}});
    setenv("POSTGRES_URL", server->url().c_str(), 1);
    return servers::run_beside(argv + 1);
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 2;
  }
}
