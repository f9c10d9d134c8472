// A process that keeps one key of the server in its memory, as long as the server promises to tell of changes. Commands
// are executed when they are sent; replies and messages arrive later, in order within each connection. Tracking is
// one-shot: the server tells of one change, and then no more until the key is read again.
#pragma once

#include <cstdint>

#include "explorer.hpp"
#include "message_queue.hpp"

namespace seawall::models {

struct tracked_key {
  /// How the process is told of changes.
  enum class feed : std::uint8_t {
    tracking,         ///< By pushes on the connection of the replies.
    tracking_beside,  ///< By pushes on a connection of their own.
    broadcast,        ///< By pushes on the connection of the replies, of every change, read or not.
    channel,          ///< By messages that the writers publish, on a connection of its own.
  };

  feed by = feed::tracking;
  bool placeholder = false;  ///< A reply is kept only if no message came since its read was sent.
  bool flushes = true;       ///< When the connection of the messages drops, all is forgotten.
  bool rereads = false;      ///< An own write is a script that reads the key again.
  std::uint8_t writes = 2;   ///< By others.
  std::uint8_t reads = 3;
  std::uint8_t own_writes = 0;  ///< Whose value is kept; the server does not tell a writer of its own changes.
  std::uint8_t drops = 0;

  enum class kind : std::uint8_t { none, push, value, written };
  struct message {
    kind what = kind::none;
    std::uint8_t version = 0;
  };
  using queue = message_queue<message, 6>;
  struct state {
    std::uint8_t server = 1;
    bool tracked = false;
    bool place_held = false;
    kind pending = kind::none;  ///< The reply that is waited for.
    std::uint8_t cached = 0;    ///< 0: nothing.
    std::uint8_t writes = 0;
    std::uint8_t reads = 0;
    std::uint8_t own_writes = 0;
    std::uint8_t drops = 0;
    queue replies{};  ///< And pushes, if they come on the same connection.
    queue pushes{};
  };

  state first() const {
    state one;
    one.writes = writes;
    one.reads = reads;
    one.own_writes = own_writes;
    one.drops = drops;
    return one;
  }

  template <typename Out>
  void steps(const state& now, Out& out) const {
    if (now.writes != 0) {
      state next = now;
      next.writes--;
      next.server++;
      if (now.tracked || tells_all()) (beside() ? next.pushes : next.replies).push({.what = kind::push});
      next.tracked = false;
      out.step(next, "another writes v{}", next.server);
    }
    if (now.pending == kind::none) send(now, out);
    if (now.replies.size != 0) receive(now, out);
    if (now.pushes.size != 0) {
      state next = now;
      next.pushes.pop();
      forget(next);
      out.step(next, "a message arrives");
    }
    if (now.drops != 0) drop(now, out);
    if (now.replies.size == 0 && now.pushes.size == 0 && now.pending == kind::none && now.cached != 0 &&
        now.cached != now.server) {
      out.breaks(promise::perm, "quiet: the process has v{}, the server v{}", now.cached, now.server);
    }
  }

 private:
  bool tells_all() const { return by == feed::broadcast || by == feed::channel; }
  bool beside() const { return by == feed::tracking_beside || by == feed::channel; }

  static void forget(state& next) {
    next.cached = 0;
    next.place_held = false;
  }

  template <typename Out>
  void send(const state& now, Out& out) const {
    if (now.reads != 0 && now.cached == 0) {
      state next = now;
      next.reads--;
      next.tracked = !tells_all();
      next.replies.push({.what = kind::value, .version = now.server});
      next.place_held = true;
      next.pending = kind::value;
      out.step(next, "a read is executed: v{}", now.server);
    }
    if (now.own_writes != 0) {
      state next = now;
      next.own_writes--;
      next.server++;
      next.tracked = rereads;
      next.replies.push({.what = kind::written, .version = next.server});
      next.place_held = true;
      next.pending = kind::written;
      out.step(next, "an own write is executed: v{}", next.server);
    }
  }

  template <typename Out>
  void receive(const state& now, Out& out) const {
    state next = now;
    const message one = next.replies.pop();
    if (one.what == kind::push) {
      forget(next);
      return out.step(next, "a push arrives");
    }
    const bool kept = !placeholder || now.place_held;
    if (kept) next.cached = one.version;
    next.place_held = false;
    next.pending = kind::none;
    out.step(next, "the reply v{} arrives, and is {}", one.version, kept ? "kept" : "not kept");
  }

  template <typename Out>
  void drop(const state& now, Out& out) const {
    state next = now;
    next.drops--;
    if (flushes) forget(next);
    next.pushes = {};
    if (by != feed::channel) next.tracked = false;
    if (!beside()) {
      next.replies = {};
      next.pending = kind::none;
    }
    out.step(next, "the connection drops");
  }
};

}  // namespace seawall::models
