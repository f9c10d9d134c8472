// The frames around the messages of a replication stream.
// Source: PostgreSQL's manual, "Streaming Replication Protocol".
#pragma once

#include "pgoutput_message.hpp"

#include <string>
#include <string_view>

namespace seawall::postgres {

/// What the server sends within its CopyBoth.
struct frame {
  pgoutput::lsn at = 0;           ///< Of a keepalive: everything before it has been sent.
  std::string_view message{};     ///< Empty for a keepalive.
  bool wants_reply = false;
};

result<frame> parse_frame(std::string_view bytes);

/// "I have received all up to `received`, and need nothing before `confirmed` again."
std::string status_update(pgoutput::lsn received, pgoutput::lsn confirmed, bool wants_reply);

}  // namespace seawall::postgres
