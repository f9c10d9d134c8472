// OpenSSL's queue of errors as text.
#pragma once

#include <boost/system/error_code.hpp>

#include <openssl/err.h>

#include <string>

namespace seawall::net {

/// The reason of the newest error of this thread; empties the queue.
inline std::string last_openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  // System errors (a missing file) have no reason string of OpenSSL's own.
  if (ERR_SYSTEM_ERROR(code)) {
    return boost::system::error_code(ERR_GET_REASON(code), boost::system::system_category()).message();
  }
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "error " + std::to_string(code);
}

}  // namespace seawall::net
