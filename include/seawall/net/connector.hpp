// connector: makes a stream to an address: resolves the name anew, tries each of its addresses, does the TLS handshake.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/result.hpp"
#include "seawall/net/address.hpp"
#include "seawall/net/stream.hpp"
#include "seawall/net/tls.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace seawall::net {

struct connect_options {
  duration timeout = std::chrono::seconds{2};            ///< Of everything together: name, connection, TLS handshake.
  duration keepalive = std::chrono::seconds{60};         ///< Idle time before TCP probes the peer; zero: never.
  duration user_timeout = std::chrono::seconds{10};      ///< TCP_USER_TIMEOUT: bytes may stay unacknowledged so long.
  std::shared_ptr<const tls_context> tls = {};           ///< None: plain.
};

/// What can go wrong on the way to a server, besides what the system says.
enum class connect_errc {
  timed_out = 1,
  tls_failed,           ///< The handshake failed: the message holds OpenSSL's reason.
  tls_name_mismatch,    ///< The certificate is for another name.
  tls_untrusted,        ///< The certificate is signed by nobody that is trusted, or it has expired.
};

const boost::system::error_category& connect_category() noexcept;
inline boost::system::error_code make_error_code(connect_errc code) noexcept {
  return {static_cast<int>(code), connect_category()};
}

/// A connection attempt under way.
class connecting {
 public:
  virtual ~connecting() = default;
  /// Ends it without an answer.
  virtual void cancel() noexcept = 0;
  /// What it does at present: "resolving the name", "connecting", "in the TLS handshake".
  virtual const char* stage() const noexcept = 0;
};

using connected = std::move_only_function<void(result<std::unique_ptr<stream>>)>;

/// Begins; `done` is called once, later, on `executor`, unless cancelled. Errors name the address and the cause.
/// Thread safety: to be called on `executor`, as all members of the answer.
std::shared_ptr<connecting> connect(const boost::asio::any_io_executor& executor, const address& to,
                                    const connect_options& how, connected done);

}  // namespace seawall::net

template <>
struct boost::system::is_error_code_enum<seawall::net::connect_errc> : std::true_type {};
