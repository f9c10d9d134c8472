// with_redis PROGRAM [ARGUMENT...]: runs a program beside a private server, whose URL is in REDIS_URL, and ends as the
// program does. Status 77: no server can be started here.
#include "servers/redis_server.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

namespace {

constexpr int no_server = 77;

int run(char** command) {
  pid_t child = 0;
  if (posix_spawn(&child, command[0], nullptr, nullptr, command, environ) != 0) {
    std::cerr << "cannot run " << command[0] << '\n';
    return 2;
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 2;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  std::cerr << command[0] << " ended by signal " << WTERMSIG(status) << '\n';
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  namespace servers = seawall::servers;
  if (argc < 2) {
    std::cerr << "usage: with_redis PROGRAM [ARGUMENT...]\n";
    return 2;
  }
  if (!servers::server_available()) {
    std::cerr << servers::why_no_server() << '\n';
    return no_server;
  }
  try {
    const auto server = servers::redis_server::start();
    setenv("REDIS_URL", ("redis://127.0.0.1:" + std::to_string(server->port())).c_str(), 1);
    return run(argv + 1);
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 2;
  }
}
