#include "socket_stream.hpp"

#include "openssl_error.hpp"
#include "seawall/net/connector.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/error.hpp>

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace seawall::net {
namespace {

using boost::system::error_code;

// The errno of a socket call that returned -1; nothing when it only would have to wait.
void socket_failure(error_code& failed) {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return;
  failed.assign(errno, boost::system::system_category());
}

}  // namespace

std::size_t socket_stream::try_read(std::span<char> into, error_code& failed) {
  const ssize_t n = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  if (n > 0) return static_cast<std::size_t>(n);
  if (n == 0) failed = boost::asio::error::eof;
  else socket_failure(failed);
  return 0;
}

std::size_t socket_stream::try_write(std::span<const char> bytes, error_code& failed) {
  const ssize_t n = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return static_cast<std::size_t>(n);
  socket_failure(failed);
  return 0;
}

template <class Wait, class Call>
void socket_stream::wait(Wait what, handler_memory& memory, Call call) {
  auto told = [held = waits_, call = std::move(call)](const error_code&) {
    if (held->open) call();
  };
  socket_.async_wait(what, boost::asio::bind_allocator(memory.allocator(), std::move(told)));
}

void socket_stream::wait_readable(std::shared_ptr<events> who) {
  wait(stream_socket::wait_read, waits_->reading, [who = std::move(who)] { who->on_readable(); });
}

void socket_stream::wait_writable(std::shared_ptr<events> who) {
  wait(stream_socket::wait_write, waits_->writing, [who = std::move(who)] { who->on_writable(); });
}

void socket_stream::close() noexcept {
  waits_->open = false;
  error_code ignored;
  socket_.close(ignored);
}

void ssl_deleter::operator()(SSL* ssl) const noexcept { SSL_free(ssl); }

void ssl_failure(int code, error_code& failed) {
  switch (code) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return;
    case SSL_ERROR_ZERO_RETURN:
      failed = boost::asio::error::eof;
      return;
    case SSL_ERROR_SYSCALL:
      if (errno != 0) failed.assign(errno, boost::system::system_category());
      else failed = boost::asio::error::eof;
      ERR_clear_error();
      return;
    default:
      // A peer that closes without close_notify: for a protocol with lengths that is an end as any other.
      if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) failed = boost::asio::error::eof;
      else failed = make_error_code(connect_errc::tls_failed);
      ERR_clear_error();
  }
}

std::size_t tls_stream::try_read(std::span<char> into, error_code& failed) {
  ERR_clear_error();
  errno = 0;
  const int n = SSL_read(ssl_.get(), into.data(), static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX)));
  if (n > 0) return static_cast<std::size_t>(n);
  ssl_failure(SSL_get_error(ssl_.get(), n), failed);
  return 0;
}

std::size_t tls_stream::try_write(std::span<const char> bytes, error_code& failed) {
  ERR_clear_error();
  errno = 0;
  const int n = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX)));
  if (n > 0) return static_cast<std::size_t>(n);
  ssl_failure(SSL_get_error(ssl_.get(), n), failed);
  return 0;
}

bool tls_stream::holds_more() const noexcept { return SSL_pending(ssl_.get()) > 0; }

void tls_stream::close() noexcept {
  if (ssl_ && socket_.is_open()) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // says good-bye if that goes without waiting
    ERR_clear_error();
  }
  socket_stream::close();
}

}  // namespace seawall::net
