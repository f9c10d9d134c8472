// cluster_trail: what servers have answered to the requests that are being redirected, for error messages.
#pragma once

#include "seawall/cmd/request.hpp"
#include "seawall/net/address.hpp"

#include <deque>
#include <string>
#include <string_view>

namespace seawall::redis {

/// Remembers the latest few requests; what is forgotten only makes a message shorter. Thread safety: none.
class cluster_trail {
 public:
  /// `first`: nothing was noted of this request before.
  void note(const cmd::request& asked, bool first, const net::address& from, std::string_view answer);
  /// "10.0.0.1:7000: MOVED 5 10.0.0.2:7000, 10.0.0.2:7000: ..."; empty: nothing is known.
  std::string_view of(const cmd::request& asked) const noexcept;

 private:
  struct entry {
    const cmd::request* who;
    std::string text;
  };
  static constexpr std::size_t most_requests = 64;
  static constexpr std::size_t most_bytes = 1024;
  static constexpr std::size_t most_of_answer = 100;

  std::deque<entry> entries_;
};

}  // namespace seawall::redis
