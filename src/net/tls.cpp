#include "seawall/net/tls.hpp"

#include "openssl_error.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

namespace seawall::net {
namespace {

std::unexpected<error> refused(const char* what, const std::string& file) {
  return fail(errc::invalid_argument, fmt::format("TLS {} '{}' cannot be used: {}", what, file, last_openssl_error()));
}

}  // namespace

void tls_context::deleter::operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }

result<std::shared_ptr<const tls_context>> tls_context::make(const tls_options& how) {
  ERR_clear_error();
  std::shared_ptr<tls_context> made{new tls_context(SSL_CTX_new(TLS_client_method()), how)};
  SSL_CTX* context = made->native();
  if (!context) return fail(errc::invalid_argument, "OpenSSL makes no context: " + last_openssl_error());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // What waits in the write buffer may move between two attempts, and grow.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, how.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);

  if (how.ca_file.empty() && how.ca_directory.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else {
    if (!how.ca_file.empty() && SSL_CTX_load_verify_file(context, how.ca_file.c_str()) != 1) {
      return refused("ca_file", how.ca_file);
    }
    if (!how.ca_directory.empty() && SSL_CTX_load_verify_dir(context, how.ca_directory.c_str()) != 1) {
      return refused("ca_directory", how.ca_directory);
    }
  }
  if (how.certificate_file.empty() != how.key_file.empty()) {
    return fail(errc::invalid_argument, "TLS certificate_file and key_file belong together: one of them is empty");
  }
  if (!how.certificate_file.empty()) {
    if (SSL_CTX_use_certificate_chain_file(context, how.certificate_file.c_str()) != 1) {
      return refused("certificate_file", how.certificate_file);
    }
    if (SSL_CTX_use_PrivateKey_file(context, how.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
      return refused("key_file", how.key_file);
    }
    if (SSL_CTX_check_private_key(context) != 1) return refused("key_file (not that of the certificate)", how.key_file);
  }
  return std::shared_ptr<const tls_context>{std::move(made)};
}

}  // namespace seawall::net
