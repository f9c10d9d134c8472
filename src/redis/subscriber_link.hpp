// subscriber_link: one connection of a subscription, to one server.
// Source: redis.io/docs/latest/develop/pubsub; RESP3: confirmations and messages are pushes, not replies.
#pragma once

#include "connection.hpp"
#include "seawall/redis/subscriber.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace seawall::redis {

/// Each change is a command of one topic with a PING behind it: the PONG tells the end of what the server says of that
/// topic, be it a confirmation, an error, or several errors; so nothing that was said of one topic is taken for another
/// one's. It connects at once, and does not come back once it is lost.
/// Thread safety: none; lives on the client's executor. Held by std::shared_ptr.
class subscriber_link final : public std::enable_shared_from_this<subscriber_link>,
                              private connection_owner,
                              private ender {
 public:
  /// A call may change topics, and `retire` the link.
  class listener {
   public:
    virtual ~listener() = default;
    virtual void on_message(subscriber_link& from, const message& what) = 0;
    /// `order` is that of the `subscribe` that is answered.
    virtual void on_confirmed(subscriber_link& by, topic_kind kind, std::string_view name, std::uint64_t order) = 0;
    virtual void on_refused(subscriber_link& by, topic_kind kind, std::string_view name, std::uint64_t order,
                            std::string_view error_text) = 0;
    /// The server has ended the subscription by itself: its slot is elsewhere.
    virtual void on_taken_away(subscriber_link& by, topic_kind kind, std::string_view name) = 0;
    /// Once; nothing else comes from it.
    virtual void on_lost(subscriber_link& which, const error& why) = 0;
    /// What others have to write may be written now.
    virtual void on_batch() = 0;
  };

  subscriber_link(services& with, listener& who, net::address where);
  ~subscriber_link() override;
  subscriber_link(const subscriber_link&) = delete;
  subscriber_link& operator=(const subscriber_link&) = delete;

  void open();
  void subscribe(topic_kind kind, std::string_view name, std::uint64_t order);
  void unsubscribe(topic_kind kind, std::string_view name);
  /// The listener hears nothing any more; the connection is closed, soon if it is the one that calls.
  void retire();

  const net::address& address() const noexcept { return connection_->address(); }

 private:
  class change;

  // connection_owner
  bool redirect(connection&, request&, const resp::view&) override { return false; }
  void on_push(connection& from, const resp::view& message) override;
  void on_ready(connection& who) override;
  void on_down(connection& who, const error& why) override;
  void on_batch() override;
  // ender
  void end(request& asked, const error* failure) override;

  void hand_out(const resp::view& push);
  void enqueue(std::unique_ptr<change> next);
  void submit_some();
  void heed(topic_kind kind, bool subscribed, std::string_view name);
  void ended(change& which, const error* failure);
  void lost(const error& why);

  services& services_;
  listener* listener_;                            // null: retired, or lost
  std::deque<std::unique_ptr<change>> waiting_;
  std::deque<std::unique_ptr<change>> in_flight_;  // in the order of the wire
  std::shared_ptr<connection> connection_;
  int calls_ = 0;                                  // of the connection, which must not be closed meanwhile
};

/// SSUBSCRIBE with its argument, and a PING; for other kinds likewise.
std::string subscribe_bytes(topic_kind kind, bool subscribe, std::string_view name);

}  // namespace seawall::redis
