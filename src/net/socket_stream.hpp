// socket_stream: a stream over a TCP or Unix socket. tls_stream: the same with TLS in between.
#pragma once

#include "seawall/net/handler_memory.hpp"
#include "seawall/net/stream.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <memory>

typedef struct ssl_st SSL;

namespace seawall::net {

using stream_socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                       boost::asio::any_io_executor>;

class socket_stream : public stream {
 public:
  explicit socket_stream(stream_socket socket) : socket_(std::move(socket)) {}

  std::size_t try_read(std::span<char> into, boost::system::error_code& failed) override;
  std::size_t try_write(std::span<const char> bytes, boost::system::error_code& failed) override;
  void wait_readable(std::shared_ptr<events> who) override;
  void wait_writable(std::shared_ptr<events> who) override;
  void close() noexcept override;

 protected:
  stream_socket socket_;

 private:
  template <class Wait, class Call>
  void wait(Wait what, handler_memory& memory, Call call);

  // Handlers of waits outlive the stream; they ask here whether it is open.
  struct waits {
    bool open = true;
    handler_memory reading;
    handler_memory writing;
  };
  std::shared_ptr<waits> waits_ = std::make_shared<waits>();
};

struct ssl_deleter {
  void operator()(SSL* ssl) const noexcept;
};
using ssl_pointer = std::unique_ptr<SSL, ssl_deleter>;

/// Requires: the handshake is done, and `ssl` reads and writes the socket's descriptor.
class tls_stream final : public socket_stream {
 public:
  tls_stream(stream_socket socket, ssl_pointer ssl) : socket_stream(std::move(socket)), ssl_(std::move(ssl)) {}
  ~tls_stream() override { tls_stream::close(); }

  std::size_t try_read(std::span<char> into, boost::system::error_code& failed) override;
  std::size_t try_write(std::span<const char> bytes, boost::system::error_code& failed) override;
  bool holds_more() const noexcept override;
  void close() noexcept override;

 private:
  ssl_pointer ssl_;
};

/// What an SSL call that failed with `code` (of SSL_get_error) means: nothing set when it only has to wait.
void ssl_failure(int code, boost::system::error_code& failed);

}  // namespace seawall::net
