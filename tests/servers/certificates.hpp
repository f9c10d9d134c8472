// certificates: the keys and certificates with which tests run TLS.
#pragma once

#include <filesystem>

namespace seawall::servers {

/// PEM files of one throw-away authority, valid for a few days.
struct certificates {
  std::filesystem::path authority;        ///< Signs all the others.
  std::filesystem::path other_authority;  ///< Signs none of them.
  std::filesystem::path server;           ///< For localhost and 127.0.0.1.
  std::filesystem::path server_key;
  std::filesystem::path wrong_name;  ///< For elsewhere.test only.
  std::filesystem::path wrong_name_key;
  std::filesystem::path client;  ///< For client authentication; its common name is "seawall-client".
  std::filesystem::path client_key;
};

/// Made by the openssl program at the first call of a test process, removed at its end.
/// Throws std::runtime_error if openssl is missing or fails. Thread safety: any.
const certificates& test_certificates();

}  // namespace seawall::servers
