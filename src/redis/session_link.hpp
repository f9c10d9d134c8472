// The inside of a session: a target whose requests go over one private connection.
#pragma once

#include "core.hpp"
#include "seawall/redis/session.hpp"
#include "seawall/resp/command_bytes.hpp"
#include "waiting_room.hpp"

#include <memory>
#include <string>

namespace seawall::redis {

/// The members of cmd::target and `close` may be called from any thread; the rest on the executor.
class session::link final : public cmd::target,
                            public lane,
                            public connection_owner,
                            public std::enable_shared_from_this<link> {
 public:
  link(std::shared_ptr<redis::core> with, std::string key);

  void submit(request& asked) override;
  void submit_all(request& first) override;
  void cancel(request& asked) override { core_->cancel(asked); }
  void wait(const std::atomic<bool>& done) override { core_->wait(done); }
  duration default_timeout() const noexcept override { return core_->default_timeout(); }
  void close();

  // lane
  void route(request& asked) override;
  // connection_owner: whatever the server says belongs to the session's user.
  bool redirect(connection&, request&, const resp::view&) override { return false; }
  void on_batch() override { core_->pump(); }

 private:
  // Tells the router which key's server is meant.
  class placeholder final : public request {
    void on_reply(std::size_t, resp::view) noexcept override {}
    void on_end(const error*) noexcept override {}
  };

  const std::shared_ptr<redis::core> core_;
  const std::string key_;
  const resp::command_bytes command_;
  placeholder place_;
  std::shared_ptr<connection> connection_;
  bool closed_ = false;
  waiting_room room_;
};

}  // namespace seawall::redis
