// TLS settings of outgoing connections, and the OpenSSL context made of them.
#pragma once

#include "seawall/base/result.hpp"

#include <memory>
#include <string>

typedef struct ssl_ctx_st SSL_CTX;

namespace seawall::net {

/// The server's certificate is verified, its name or IP address included, unless that is switched off here.
struct tls_options {
  std::string ca_file = {};           ///< PEM file of trusted authorities; if both are empty, the system's.
  std::string ca_directory = {};
  std::string certificate_file = {};  ///< PEM chain that this client shows; needs key_file.
  std::string key_file = {};
  std::string server_name = {};       ///< Name to verify and to send (SNI) instead of the address's host.
  bool verify = true;                 ///< Off: anyone on the way can read and change everything.
};

/// Shared by all connections with the same settings. Thread safety: const members may be called from any thread.
class tls_context {
 public:
  /// Reads the files at once: an error (errc::invalid_argument) names the file and the cause.
  static result<std::shared_ptr<const tls_context>> make(const tls_options& how);

  SSL_CTX* native() const noexcept { return context_.get(); }
  const tls_options& options() const noexcept { return options_; }

 private:
  struct deleter {
    void operator()(SSL_CTX* context) const noexcept;
  };
  tls_context(SSL_CTX* context, tls_options how) : context_(context), options_(std::move(how)) {}

  std::unique_ptr<SSL_CTX, deleter> context_;
  tls_options options_;
};

}  // namespace seawall::net
