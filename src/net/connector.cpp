#include "seawall/net/connector.hpp"

#include "openssl_error.hpp"
#include "socket_stream.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <vector>

namespace seawall::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class connect_category_type final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "seawall.connect"; }
  std::string message(int code) const override {
    switch (static_cast<connect_errc>(code)) {
      case connect_errc::timed_out: return "the connection was not made in time";
      case connect_errc::tls_failed: return "the TLS handshake failed";
      case connect_errc::tls_name_mismatch: return "the server's certificate is for another name";
      case connect_errc::tls_untrusted: return "the server's certificate is not trusted";
    }
    return "unknown connection error";
  }
};

bool is_ip_literal(const std::string& host) {
  error_code failed;
  asio::ip::make_address(host, failed);
  return !failed;
}

// One attempt, step by step: names, then each address in turn, then TLS. Every handler holds the object.
class attempt final : public connecting, public std::enable_shared_from_this<attempt> {
 public:
  attempt(const asio::any_io_executor& executor, address to, connect_options how, connected done)
      : to_(std::move(to)), how_(std::move(how)), done_(std::move(done)), resolver_(executor), socket_(executor),
        timer_(executor) {}

  void start() {
    timer_.expires_after(how_.timeout);
    timer_.async_wait([self = shared_from_this()](error_code stopped) {
      if (!stopped) self->finish(connect_errc::timed_out, self->overdue());
    });
    if (!to_.path.empty()) {
      endpoints_.push_back(asio::local::stream_protocol::endpoint(to_.path));
      return next_endpoint({});
    }
    stage_ = "resolving the name";
    resolver_.async_resolve(to_.host, std::to_string(to_.port),
                            [self = shared_from_this()](error_code failed, const tcp::resolver::results_type& found) {
                              self->resolved(failed, found);
                            });
  }

  const char* stage() const noexcept override { return stage_; }

  void cancel() noexcept override {
    done_ = nullptr;
    stop();
  }


 private:
  void resolved(error_code failed, const tcp::resolver::results_type& found) {
    if (!done_) return;
    if (failed) return finish(failed, "the name cannot be resolved: " + failed.message());
    for (const auto& entry : found) endpoints_.push_back(entry.endpoint());
    next_endpoint(asio::error::host_not_found);
  }

  void next_endpoint(error_code last) {
    if (next_ == endpoints_.size()) return finish(last, last.message());
    const auto& endpoint = endpoints_[next_++];
    stage_ = "connecting";
    error_code failed;
    socket_.close(failed);
    socket_.open(endpoint.protocol(), failed);
    if (failed) return next_endpoint(failed);
    if (to_.path.empty()) set_options();
    socket_.async_connect(endpoint, [self = shared_from_this()](error_code refused) {
      if (!self->done_) return;
      if (refused) self->next_endpoint(refused);
      else self->begin_tls();
    });
  }

  void set_options() {
    error_code ignored;  // an option that the system does not know is no reason to have no connection
    socket_.set_option(tcp::no_delay(true), ignored);
    const auto seconds = [](duration span) {
      return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(span).count());
    };
    if (how_.keepalive > duration::zero()) {
      socket_.set_option(asio::socket_base::keep_alive(true), ignored);
      using idle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
      using interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
      socket_.set_option(idle(seconds(how_.keepalive)), ignored);
      socket_.set_option(interval(std::max(1, seconds(how_.keepalive) / 4)), ignored);
    }
    using user_timeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
    if (how_.user_timeout > duration::zero()) {
      socket_.set_option(user_timeout(static_cast<int>(how_.user_timeout / std::chrono::milliseconds{1})), ignored);
    }
  }

  void begin_tls() {
    if (!how_.tls) return succeed(std::make_unique<socket_stream>(std::move(socket_)));
    stage_ = "in the TLS handshake";
    ssl_.reset(SSL_new(how_.tls->native()));
    const tls_options& tls = how_.tls->options();
    const std::string& name = tls.server_name.empty() ? to_.host : tls.server_name;
    if (is_ip_literal(name)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str());
    } else if (!name.empty()) {
      SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
      SSL_set1_host(ssl_.get(), name.c_str());
    }
    error_code ignored;
    socket_.native_non_blocking(true, ignored);
    SSL_set_fd(ssl_.get(), socket_.native_handle());
    SSL_set_connect_state(ssl_.get());
    handshake();
  }

  void handshake() {
    if (!done_) return;
    ERR_clear_error();
    errno = 0;
    const int n = SSL_do_handshake(ssl_.get());
    if (n == 1) return succeed(std::make_unique<tls_stream>(std::move(socket_), std::move(ssl_)));
    const int why = SSL_get_error(ssl_.get(), n);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
      const auto kind = why == SSL_ERROR_WANT_READ ? stream_socket::wait_read : stream_socket::wait_write;
      return socket_.async_wait(kind, [self = shared_from_this()](error_code stopped) {
        if (!stopped) self->handshake();
      });
    }
    const long verdict = SSL_get_verify_result(ssl_.get());
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
      return finish(connect_errc::tls_name_mismatch, "the server's certificate is not for this name");
    }
    if (verdict != X509_V_OK) {
      return finish(connect_errc::tls_untrusted, fmt::format("the server's certificate is not accepted: {}",
                                                             X509_verify_cert_error_string(verdict)));
    }
    const std::string reason = why == SSL_ERROR_SSL  ? last_openssl_error()
                               : errno != 0 ? error_code(errno, boost::system::system_category()).message()
                                            : "the server closed the connection";
    finish(connect_errc::tls_failed, fmt::format("the TLS handshake failed: {} (does the server speak TLS here?)",
                                                 reason));
  }

  std::string overdue() const {
    return fmt::format("no connection after {} ms, while {}", how_.timeout / std::chrono::milliseconds{1}, stage_);
  }

  void succeed(std::unique_ptr<stream> made) {
    auto done = std::exchange(done_, nullptr);
    stop();
    done(std::move(made));
  }

  void finish(error_code code, const std::string& why) {
    if (!done_) return;
    auto done = std::exchange(done_, nullptr);
    stop();
    done(std::unexpected(error{code, fmt::format("{}: {}", to_.text(), why)}));
  }
  void finish(connect_errc code, const std::string& why) { finish(make_error_code(code), why); }

  void stop() noexcept {
    error_code ignored;
    timer_.cancel();
    resolver_.cancel();
    ssl_.reset();
    socket_.close(ignored);
  }

  const address to_;
  const connect_options how_;
  connected done_;  // null once answered or cancelled
  const char* stage_ = "starting";
  tcp::resolver resolver_;
  stream_socket socket_;
  asio::steady_timer timer_;
  ssl_pointer ssl_;
  std::vector<asio::generic::stream_protocol::endpoint> endpoints_;
  std::size_t next_ = 0;
};

}  // namespace

const boost::system::error_category& connect_category() noexcept {
  static const connect_category_type category;
  return category;
}

std::shared_ptr<connecting> connect(const asio::any_io_executor& executor, const address& to,
                                    const connect_options& how, connected done) {
  auto made = std::make_shared<attempt>(executor, to, how, std::move(done));
  made->start();
  return made;
}

}  // namespace seawall::net
