// OpenSSL's queue of errors as text.
#pragma once

#include <boost/system/error_code.hpp>

#include <openssl/err.h>

#include <string>

namespace seawall::net {

/// Why OpenSSL failed on this thread: the system's reason (a missing file) if there is one, else the newest of its own.
/// Empties the queue.
inline std::string last_openssl_error() {
  std::string reason = "no reason given";
  bool final = false;
  while (const unsigned long code = ERR_get_error()) {
    if (final) continue;
    // System errors have no reason string of OpenSSL's own.
    final = ERR_SYSTEM_ERROR(code);
    const char* const text = ERR_reason_error_string(code);
    if (final) reason = boost::system::error_code(ERR_GET_REASON(code), boost::system::system_category()).message();
    else reason = text ? text : "error " + std::to_string(code);
  }
  return reason;
}

}  // namespace seawall::net
