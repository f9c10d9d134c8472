#include "servers/ports.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <stdexcept>
#include <string>

namespace seawall::servers {
namespace {

// Neither these nor the ports of their buses are ephemeral ports by Linux's default (32768 to 60999).
constexpr unsigned first = 10'300;
constexpr unsigned count = 9'900;
static_assert(first + count <= first + bus_distance && first + count + bus_distance < 32'768);

bool can_listen(unsigned port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free =
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && ::listen(socket, 1) == 0;
  ::close(socket);
  return free;
}

}  // namespace

reserved_port::~reserved_port() {
  if (lock_ >= 0) ::close(lock_);
}

reserved_port reserve_port() {
  // A port's reservation is a lock on the byte of this number in a file that stays empty. The lock belongs to the open
  // file, thus to one reservation, and the kernel ends it with the process.
  const std::string name = fmt::format("{}seawall-ports-{}.lock", ::testing::TempDir(), ::getuid());
  const int file = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error("cannot open " + name);
  std::random_device random;
  const unsigned begin = random();
  for (unsigned i = 0; i < count; ++i) {
    const unsigned port = first + (begin + i) % count;
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = port;
    lock.l_len = 1;
    if (::fcntl(file, F_OFD_SETLK, &lock) != 0) continue;
    if (can_listen(port) && can_listen(port + bus_distance)) return {static_cast<std::uint16_t>(port), file};
    lock.l_type = F_UNLCK;
    ::fcntl(file, F_OFD_SETLK, &lock);
  }
  ::close(file);
  throw std::runtime_error("no free port on loopback");
}

}  // namespace seawall::servers
