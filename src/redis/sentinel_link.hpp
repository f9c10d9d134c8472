// sentinel_link: one sentinel: a connection for questions, and one on which it tells of failovers.
#pragma once

#include "connection.hpp"
#include "sentinel_answer.hpp"

#include <memory>
#include <string>

namespace seawall::redis {

/// A sentinel is asked without a login, which most have none of. If it asks for one (NOAUTH), it gets that of the URL:
/// the one of the servers.
/// Thread safety: none; lives on the client's executor.
class sentinel_link final : private connection_owner, private ender {
 public:
  /// A call may ask again, but not destroy the link.
  class listener {
   public:
    virtual ~listener() = default;
    virtual void on_answer(sentinel_link& from, result<sentinel_answer> says) = 0;
    /// It told of a failover, or may have done so while it was not listened to.
    virtual void on_hint() = 0;
  };

  sentinel_link(services& with, listener& who, net::address where, std::string primary_name);
  ~sentinel_link() override;
  sentinel_link(const sentinel_link&) = delete;
  sentinel_link& operator=(const sentinel_link&) = delete;

  /// Asks; the answer comes by `deadline`, perhaps from inside this call. Requires: no question is under way.
  void ask(time_point deadline);
  /// Forgets the question, if one is under way.
  void withdraw();
  /// Listens from now on; idempotent.
  void subscribe();

  const net::address& where() const noexcept { return where_; }

 private:
  class question;
  class subscription;

  // connection_owner
  bool redirect(connection&, request&, const resp::view&) override { return false; }
  void on_push(connection& from, const resp::view& message) override;
  void on_ready(connection& who) override;
  void on_down(connection& who, const error& why) override;
  // ender
  void end(request& asked, const error* failure) override { asked.on_end(failure); }

  // One of the two connections.
  struct line {
    std::shared_ptr<connection> made;
    bool logs_in = false;
  };

  void connect(line& which, bool reconnect);
  bool may_log_in(line& refused, const error& why);
  void question_ended(const error* failure);

  services& services_;
  listener& listener_;
  const net::address where_;
  const std::string name_;
  bool login_ = false;  // it asked for one
  std::unique_ptr<question> question_;
  std::unique_ptr<subscription> subscription_;
  line asking_;
  line listening_;
};

}  // namespace seawall::redis
