// reserved_port: a free TCP port of the loopback interface that no other test process takes meanwhile.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace seawall::servers {

/// A port on 127.0.0.1 for a server that may stop and come back: nothing listened there when it was chosen, it lies
/// outside the range from which the kernel takes ports for outgoing connections, and all test processes of this user
/// leave it alone while the object lives.
class reserved_port {
 public:
  reserved_port() = default;
  ~reserved_port();
  reserved_port(reserved_port&& other) noexcept
      : number_(std::exchange(other.number_, 0)), lock_(std::exchange(other.lock_, -1)) {}
  reserved_port& operator=(reserved_port&& other) noexcept {
    std::swap(number_, other.number_);
    std::swap(lock_, other.lock_);
    return *this;
  }

  /// 0 for an object without a port.
  std::uint16_t number() const noexcept { return number_; }
  operator std::uint16_t() const noexcept { return number_; }

 private:
  friend reserved_port reserve_port();
  reserved_port(std::uint16_t number, int lock) : number_(number), lock_(lock) {}

  std::uint16_t number_ = 0;
  int lock_ = -1;
};

/// The distance from a Redis Cluster node's port to the port of its bus.
inline constexpr std::uint16_t bus_distance = 10'000;

/// A free port whose number + `bus_distance` is free, too. Throws std::runtime_error if there is none.
reserved_port reserve_port();

/// A server of `make`, as a pointer, once `begin` does not throw std::runtime_error. Somebody who knows nothing of
/// reservations may take the port before the server does, as its log says then: four are tried.
template <class Make, class Begin>
auto start_on_free_port(const Make& make, const Begin& begin) {
  for (int left = 3;; --left) {
    auto server = make();
    try {
      begin(*server);
      return server;
    } catch (const std::runtime_error&) {
      if (left == 0 || server->log().find("already in use") == std::string::npos) throw;
    }
  }
}

}  // namespace seawall::servers
