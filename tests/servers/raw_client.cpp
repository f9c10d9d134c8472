#include "servers/raw_client.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ostream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace seawall::servers {
namespace {

[[noreturn]] void complain(std::string_view what) {
  const std::error_code why{errno, std::system_category()};
  throw std::runtime_error(fmt::format("raw_client: {}: {}", what, why.message()));
}

int connected(int family, const sockaddr* address, socklen_t length, const std::string& name) {
  const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(socket, address, length) == 0) return socket;
  const int why = errno;
  ::close(socket);
  errno = why;
  complain("cannot connect to " + name);
}

int connect_tcp(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket =
      connected(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address, fmt::format("port {}", port));
  const int yes = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return socket;
}

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("raw_client: too long for a socket: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, path);
}

}  // namespace

std::string reply::operator[](std::string_view key) const {
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
    if (elements[i].text == key) return elements[i + 1].text;
  }
  return {};
}

std::ostream& operator<<(std::ostream& to, const reply& what) {
  to << what.type << what.text;
  if (what.elements.empty()) return to;
  to << '[';
  for (const auto& element : what.elements) to << element << ' ';
  return to << ']';
}

std::string encode(const arguments& command) {
  std::string bytes = fmt::format("*{}\r\n", command.size());
  for (const auto& argument : command) bytes += fmt::format("${}\r\n{}\r\n", argument.size(), argument);
  return bytes;
}

raw_client::raw_client(int socket, std::chrono::milliseconds patience) noexcept
    : socket_(socket), patience_(patience) {}
raw_client::raw_client(std::uint16_t port, std::chrono::milliseconds patience)
    : raw_client(connect_tcp(port), patience) {}
raw_client::raw_client(const std::filesystem::path& socket, std::chrono::milliseconds patience)
    : raw_client(connect_unix(socket.string()), patience) {}
raw_client::raw_client(raw_client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), patience_(other.patience_), buffer_(std::move(other.buffer_)) {}
raw_client::~raw_client() {
  if (socket_ >= 0) ::close(socket_);
}

reply raw_client::run(const arguments& command) {
  send(encode(command));
  return receive();
}

void raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready{socket_, POLLOUT, 0};
    if (::poll(&ready, 1, static_cast<int>(patience_.count())) == 0) {
      throw std::runtime_error(fmt::format("raw_client: nothing could be sent for {} ms", patience_.count()));
    }
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) complain("send");
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool raw_client::readable(std::chrono::milliseconds within) {
  pollfd ready{socket_, POLLIN, 0};
  return !buffer_.empty() || ::poll(&ready, 1, static_cast<int>(within.count())) > 0;
}

void raw_client::finish() { ::shutdown(socket_, SHUT_WR); }

// False at the end of the stream.
bool raw_client::fill(bool* reset) {
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(patience_.count())) == 0) {
    throw std::runtime_error(fmt::format("raw_client: nothing came within {} ms", patience_.count()));
  }
  char bytes[16'384];
  const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
  if (got < 0 && errno == ECONNRESET && reset) {
    *reset = true;
    return false;
  }
  if (got < 0) complain("receive");
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return got > 0;
}

std::string raw_client::line() {
  std::size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill()) throw std::runtime_error("raw_client: closed by the peer");
  }
  std::string found = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return found;
}

std::string raw_client::receive_bytes(std::size_t count) {
  while (buffer_.size() < count) {
    if (!fill()) throw std::runtime_error("raw_client: closed by the peer");
  }
  std::string found = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return found;
}

std::string raw_client::receive_all(bool* reset) {
  while (fill(reset)) {}
  return std::exchange(buffer_, {});
}

reply raw_client::receive() {
  std::string head = line();
  if (head.empty()) throw std::runtime_error("raw_client: an empty line is no reply");
  reply got{.type = head[0], .text = head.substr(1)};
  if (std::string_view{"+-:_#,("}.contains(got.type)) return got;
  if (got.text == "-1") return {};
  auto count = std::stoul(got.text);
  if (std::string_view{"$!="}.contains(got.type)) {
    got.text = receive_bytes(count);
    receive_bytes(2);
    return got;
  }
  if (!std::string_view{"*%~>|"}.contains(got.type)) throw std::runtime_error("raw_client: no reply: " + head);
  got.text.clear();
  if (got.type == '%' || got.type == '|') count *= 2;
  for (std::size_t i = 0; i < count; ++i) got.elements.push_back(receive());
  if (got.type == '|') return receive();
  return got;
}

}  // namespace seawall::servers
