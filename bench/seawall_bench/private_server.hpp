// A redis-server of the benchmark's own: on a free port of the loopback, without persistence.
#pragma once

#include <fmt/format.h>
#include <seawall_bench/child_process.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace seawall::bench {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// A port of 127.0.0.1 that nobody listens on at the moment.
inline std::uint16_t free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  const bool bound = bind(probe, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(probe);
  if (!bound) throw std::runtime_error("no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

/// A connection for a few commands, which go as one line each. Throws std::runtime_error when it fails.
class control_connection {
 public:
  explicit control_connection(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    const sockaddr_in address = loopback(port);
    connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~control_connection() { close(socket_); }
  control_connection(const control_connection&) = delete;
  control_connection& operator=(const control_connection&) = delete;

  bool connected() const noexcept { return connected_; }

  /// The reply to one command: a status, an error, or what is in a bulk string.
  std::string ask(const std::string& command) {
    const std::string line = command + "\r\n";
    if (send(socket_, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) fail();
    std::string reply;
    std::size_t wanted = 0;  // bytes of the whole reply, once its first line is there
    while (wanted == 0 || reply.size() < wanted) {
      std::array<char, 16384> block{};
      const ssize_t got = recv(socket_, block.data(), block.size(), 0);
      if (got <= 0) fail();
      reply.append(block.data(), static_cast<std::size_t>(got));
      const auto end = reply.find("\r\n");
      if (wanted != 0 || end == std::string::npos) continue;
      wanted = end + 2;
      if (reply[0] == '$') wanted += std::strtoul(reply.c_str() + 1, nullptr, 10) + 2;
    }
    return reply;
  }

 private:
  [[noreturn]] static void fail() { throw std::runtime_error("redis-server does not answer any more"); }

  int socket_;
  bool connected_ = false;
};

class private_server {
 public:
  /// `program`: a path, or empty for what PATH leads to. `folder`: for the server's log. Throws std::runtime_error with
  /// what to do when no server could be started.
  private_server(const std::string& program, const std::string& folder, bool on_cpu_0)
      : program_(program.empty() ? find() : program), log_(folder + "/redis-server.log"), on_cpu_0_(on_cpu_0) {
    for (int attempt = 0; attempt != 3 && !control_; ++attempt) start(free_port());
    if (!control_) {
      throw std::runtime_error(fmt::format("{} did not start; what it said is in {}", program_, log_));
    }
  }

  std::uint16_t port() const noexcept { return port_; }

  /// The reply to one command, which is sent as one line.
  std::string ask(const std::string& command) { return control_->ask(command); }

  /// User and system time of the server since it started.
  double cpu_seconds() {
    const std::string info = control_->ask("INFO cpu");
    return number(info, "used_cpu_user:") + number(info, "used_cpu_sys:");
  }

 private:
  // Debian's redis-tools brings the program under another name; as redis-server it is the server.
  static std::string find() {
    if (const auto server = find_program("redis-server")) return *server;
    if (const auto check = find_program("redis-check-rdb")) return *check;
    throw std::runtime_error("there is no redis-server: install redis-tools, or name a server with --server");
  }

  static double number(const std::string& info, const std::string& field) {
    const auto at = info.find(field);
    if (at == std::string::npos) throw std::runtime_error(fmt::format("the server's INFO has no {}", field));
    return std::strtod(info.c_str() + at + field.size(), nullptr);
  }

  void start(std::uint16_t port) {
    child_.emplace(program_,
                   std::vector<std::string>{"redis-server", "--port", std::to_string(port), "--bind", "127.0.0.1",
                                            "--save", "", "--appendonly", "no", "--daemonize", "no",
                                            // Otherwise a replica leaves what it was sent in the working directory.
                                            "--repl-diskless-sync", "yes", "--repl-diskless-load", "on-empty-db"},
                   on_cpu_0_, log_);
    for (int wait = 0; wait != 500 && child_->running(); ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      auto control = std::make_unique<control_connection>(port);
      if (!control->connected()) continue;
      // Another server may have been quicker to take the port.
      if (number(control->ask("INFO server"), "process_id:") != static_cast<double>(child_->id())) return;
      control_ = std::move(control);
      port_ = port;
      return;
    }
  }

  std::string program_;
  std::string log_;
  bool on_cpu_0_;
  std::uint16_t port_ = 0;
  std::optional<child_process> child_;
  std::unique_ptr<control_connection> control_;
};

}  // namespace seawall::bench
