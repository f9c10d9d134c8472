// sentinel_answer: what one sentinel says of one primary, and the question that it answers. Performs no I/O.
// Source: redis.io/docs/latest/operate/oss_and_stack/management/sentinel, "Sentinel commands" and "Pub/Sub messages".
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/net/address.hpp"
#include "seawall/resp/view.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::redis {

struct sentinel_answer {
  /// What one sentinel believes of another.
  struct peer {
    net::address where;
    std::string id;
  };

  std::string id{};                     // SENTINEL MYID; empty before Redis 6.2
  std::optional<net::address> primary{};  // none: it knows no primary of this name
  std::uint64_t epoch = 0;              // config-epoch: rises with every failover
  bool down = false;                    // it finds the primary down
  std::vector<peer> others{};
  std::vector<net::address> replicas{};  // those that it finds up and linked to the primary

  // Beyond these, what a sentinel lists is left out.
  static constexpr std::size_t most_others = 64;
  static constexpr std::size_t most_replicas = 256;
};

/// Commands to be sent in one piece, `sentinel_question_replies` of them.
std::string sentinel_question(std::string_view primary_name);
inline constexpr std::uint32_t sentinel_question_replies = 5;

/// Puts an answer together from the replies. Thread safety: none.
class sentinel_reader {
 public:
  void on_reply(std::size_t index, const resp::view& reply);
  /// The answer, or what the server said instead of one; the next answer may be read.
  result<sentinel_answer> take();

 private:
  sentinel_answer says_;
  std::optional<error> refused_;
};

/// Whether a pushed message says that this primary has moved: the channel is "+switch-master", with its plus sign.
bool is_switch_message(const resp::view& message, std::string_view primary_name);
inline constexpr std::string_view sentinel_channel = "+switch-master";

}  // namespace seawall::redis
