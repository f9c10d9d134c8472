// subscription: messages that others publish, on connections of their own (SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE).
//
//     auto news = redis.subscribe({.channels = {"news"}, .patterns = {"user:*"}, .sharded = {"orders:42"}},
//                                 [](const redis::message& m) { use(m.channel, m.payload); },
//                                 {.on_gap = [](const redis::gap& missed) { read_again(missed.topic); }});
//     if (!news) return news.error();
//     news->add({.channels = {"alerts"}});
//
// Delivery is at most once: what is published while a connection is down is lost. The subscription comes back by
// itself, at a new primary or a slot's new owner if need be, and tells of the gap.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::redis {

class core;
class subscriber;

enum class topic_kind : std::uint8_t {
  channel,  ///< SUBSCRIBE; in a cluster, whatever node it was published at.
  pattern,  ///< PSUBSCRIBE: `*`, `?`, `[...]`.
  sharded,  ///< SSUBSCRIBE (Redis 7.0): in a cluster, at the node that holds the slot of the name.
};

/// What to listen to. At least one name, `most` in one subscription, each of 1 to `most_bytes` bytes; a name given
/// twice is one. Other numbers are errc::invalid_argument.
struct topics {
  static constexpr std::size_t most = 16384;
  static constexpr std::size_t most_bytes = 65535;

  std::vector<std::string> channels = {};
  std::vector<std::string> patterns = {};
  std::vector<std::string> sharded = {};
};

/// What was published. Valid during the handler's call. A channel that is subscribed to by name and by a pattern that
/// matches gives two messages, as in Redis.
struct message {
  std::string_view channel;
  std::string_view payload;  ///< Any bytes.
  std::string_view pattern;  ///< The pattern that matched; empty for kinds without one.
  topic_kind kind;           ///< How it was subscribed to.
};

/// What was published to a topic within this time may be lost. Told when the topic is heard again, before its first
/// message, once for each topic. Valid during the call.
struct gap {
  std::string_view topic;
  topic_kind kind;
  duration lasted;
  const error& why;
};

using message_handler = std::move_only_function<void(const message&)>;

struct subscription_options {
  std::function<void(const gap&)> on_gap = nullptr;
  /// How long subscribing may take; zero: the client's command timeout.
  duration timeout{};
};

/// Messages come in the order in which their server sent them; topics of different servers have no common order.
///
/// Handlers are called on the client's executor, one at a time: they must return soon, cannot use the blocking verbs
/// of the client (client::run), and may call everything here. With an executor of the client's own, that may be a
/// thread that waits in a blocking call of the same client: hold no lock in such a call that a handler takes. An
/// exception of a handler is logged. Nothing queues here: while a handler runs, messages pile up at the server, which
/// gives up on a subscriber that is too slow (client-output-buffer-limit), and a gap follows.
///
/// Calls that wait do so for the subscription's timeout at most. On the client's executor, and in other handlers of the
/// context that the client was given, nothing waits: `add` returns at once, and `active` says what came of it.
/// Thread safety: all members but moving and destroying may be called from any thread.
class subscription {
 public:
  subscription(subscription&&) noexcept = default;
  subscription& operator=(subscription&& other) noexcept;
  /// Unsubscribes. Returns when no handler runs any more, and none is called afterwards; from within a handler it
  /// returns at once. Elsewhere, hold no lock that a handler takes.
  ~subscription();

  /// Waits until the server has confirmed all of them. An error (the server's refusal, or errc::timed_out with the
  /// reason) leaves none of the new ones subscribed.
  result<void> add(const topics& more);
  /// No message of these is handed out after it has returned, or, in another handler of the client's context, soon
  /// afterwards. Names that were not subscribed to are passed over.
  result<void> remove(const topics& those);
  /// Whether the server has confirmed everything, and nothing is interrupted; the error says what is missing, and why.
  result<void> active() const;

 private:
  friend class client;
  explicit subscription(std::shared_ptr<subscriber> made) noexcept : subscriber_(std::move(made)) {}
  static result<subscription> make(std::shared_ptr<redis::core> with, const topics& what, message_handler handler,
                                   subscription_options how);

  std::shared_ptr<subscriber> subscriber_;
};

}  // namespace seawall::redis
