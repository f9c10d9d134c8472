// endpoint: what a URL and the options say together.
#pragma once

#include "seawall/net/address.hpp"
#include "seawall/redis/options.hpp"

#include <string>
#include <vector>

namespace seawall::redis {

enum class topology_kind { standalone, sentinel, cluster };

struct endpoint {
  topology_kind kind = topology_kind::standalone;
  bool tls = false;
  std::vector<net::address> servers{};  // one for standalone; the seeds otherwise
  std::string primary_name{};         // sentinel
  std::string user{};
  std::string password{};
  int database = 0;
};

/// Reads the URL and lays the options over it. Errors (errc::invalid_argument) name the part that is wrong, and never
/// show a password.
result<endpoint> parse_endpoint(const options& how);

/// Checks the limits of all other options; the message names the option.
result<void> validate(const options& how);

}  // namespace seawall::redis
