// session: a connection of its own, for commands that belong to a connection's state.
//
//     auto own = redis.open_session();
//     own.run(cmd::watch("stock:7"));
//     const auto left = own.run(cmd::get<int>("stock:7"));
//     const auto sold = own.transaction(cmd::set("stock:7", left->value() - 1));   // errc::watch_failed: try again
#pragma once

#include "seawall/cmd/async.hpp"
#include "seawall/cmd/run.hpp"

#include <memory>
#include <utility>

namespace seawall::redis {

/// One connection to the server of one key, not shared with anybody: WATCH, SELECT, MULTI step by step, CLIENT REPLY,
/// or commands that must not wait behind others. What was said on it is not said again on another connection, so it
/// never reconnects: once it is lost, all commands fail with the cause, and a new session is needed.
/// Thread safety: all members may be called from any thread; ends when its handle is destroyed, as `close`.
class session {
 public:
  session(session&&) noexcept;
  session& operator=(session&&) noexcept;
  ~session();

  template <class... What>
  auto run(const What&... what) {
    return cmd::run(target(), what...);
  }
  template <class... What>
  auto transaction(const What&... what) {
    return cmd::transaction(target(), what...);
  }
  template <class... WhatAndToken>
  auto async_run(WhatAndToken&&... what_and_token) {
    return cmd::async_run(target(), std::forward<WhatAndToken>(what_and_token)...);
  }
  template <class... WhatAndToken>
  auto async_transaction(WhatAndToken&&... what_and_token) {
    return cmd::async_transaction(target(), std::forward<WhatAndToken>(what_and_token)...);
  }

  /// Requires: commands that are under way have ended when the session is destroyed, or end with errc::closed.
  cmd::target& target() noexcept;

  /// Ends the connection and, with errc::closed, what is under way.
  void close();

 private:
  friend class client;
  class link;
  explicit session(std::shared_ptr<link> made) noexcept;

  std::shared_ptr<link> link_;
};

}  // namespace seawall::redis
