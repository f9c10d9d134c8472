// request and target: what "executes a Redis command" means, whoever executes it: a client, or the embedded keyspace.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/result.hpp"
#include "seawall/resp/view.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace seawall::cmd {

/// What a command does to the data, which decides when a client may send it a second time without asking.
enum class effect : std::uint8_t {
  read,        ///< Changes nothing: may be repeated.
  write_last,  ///< Running it twice leaves what running it once leaves (SET, DEL, EXPIRE): may be repeated.
  write_once,  ///< Running it twice differs (INCR, LPUSH, SET NX, scripts): repeated only if surely not applied.
  admin,       ///< Changes the server or the connection: never repeated.
};

/// What a target has to know of a command besides its bytes.
struct traits {
  cmd::effect effect = effect::write_once;
  /// Index of the first argument that is a key; 0: there is none.
  std::uint8_t first_key = 0;
  /// The keys end at this argument; negative: counted from the end (-1 is the last). Only for first_key != 0.
  std::int8_t last_key = 0;
  /// From one key to the next.
  std::uint8_t key_step = 1;
  /// The argument that says how many keys follow it (EVAL); 0: none does.
  std::uint8_t count_at = 0;
  /// May wait at the server (BLPOP): goes over a connection of its own.
  bool blocking = false;
  /// Belongs to a connection's state (SUBSCRIBE, WATCH, MULTI, SELECT, AUTH ...): refused on a shared connection.
  bool connection_state = false;
  /// Keys may lie in several slots, a cluster client splits it: MGET, MSET, DEL, UNLINK, EXISTS, TOUCH.
  bool splittable = false;

  friend bool operator==(const traits&, const traits&) = default;
};

class request;

/// Executes Redis commands. Implemented by `redis::client` and by the embedded keyspace, so that whatever is written
/// against a target runs on either.
/// Thread safety: all members may be called from any thread.
class target {
 public:
  virtual ~target() = default;

  /// Takes a command. `asked` stays where it is, untouched by its owner, until its `on_end`, which is called exactly
  /// once, from a thread of the target or from inside this call.
  virtual void submit(request& asked) = 0;

  /// Several at once, linked by `request::next`, in this order; a client sends them in one piece.
  virtual void submit_all(request& first) = 0;

  /// Asks for the end of a request that was submitted: `on_end` comes soon, with errc::cancelled unless it ended
  /// otherwise meanwhile. The command may have been applied. May run at the same time as `on_end`, or call it: the
  /// owner keeps the request until both have returned, and calls this once at most. When it calls, it has not seen the
  /// end, which may come before the target looks.
  virtual void cancel(request& asked) = 0;

  /// Blocks the calling thread until `done` is true, which some `on_end` of this target sets and notifies. A target
  /// whose I/O needs a thread may use this one.
  virtual void wait(const std::atomic<bool>& done) = 0;

  /// Somebody waits, without `wait`, for the end of a request that was submitted as unhurried.
  virtual void hurry() noexcept {}

  /// How long a command may take, if it does not say so itself.
  virtual duration default_timeout() const noexcept = 0;
};

/// One command (or one MULTI ... EXEC) on its way through a target. Owned by the caller, who keeps it until `on_end`.
class request {
 public:
  virtual ~request() = default;

  /// What goes over the wire: one command, or `replies` commands in a row that must stay together.
  std::string_view bytes;
  cmd::traits traits;
  std::uint32_t replies = 1;
  /// Where in `bytes` the command begins that the keys of `traits` belong to: in a transaction, the first with a key.
  std::uint32_t keyed_at = 0;
  /// When the caller gives up, counted from `submit`, queueing included; zero: after the target's default timeout. For
  /// a blocking command it includes the time that the server may wait.
  duration timeout{};
  /// The thread that submits is about to call `target::wait` for it.
  bool caller_waits = false;
  /// It is sent as soon as any, but nobody waits for its end, of which may be heard some milliseconds late, unless
  /// somebody calls `target::hurry` then. Spares the thread that submits a switch to another one.
  bool unhurried = false;
  /// The next of a chain, for `submit_all`.
  request* next = nullptr;

  /// The tracking generation (redis/tracking.hpp) of the connection that the present reply came over; 0: not tracked.
  /// Set before `on_reply`.
  std::uint64_t generation = 0;

  /// The reply with this index (0 to replies - 1), errors of the server included, in wire order, on the target's
  /// thread. May come again from 0 on if the target repeats the command. Must be short: decode and return.
  virtual void on_reply(std::size_t index, resp::view reply) noexcept = 0;

  /// The end: nullptr after the last reply, else why there is none. The target does not touch the request afterwards,
  /// so it may be submitted anew from here (after `renew`).
  virtual void on_end(const error* failure) noexcept = 0;

  /// Forgets that it was submitted. Requires: `on_end` was called.
  void renew() noexcept {
    next = nullptr;
    book.ticket = 0;
    book.where = nullptr;
    book.cancel_next = nullptr;
    book.lane = nullptr;
    book.deadline = never;
    book.state.store(0, std::memory_order_relaxed);
    book.attempts = book.flags = 0;
    book.slot = 0;
    book.extra = 0;
  }

  /// For the target alone.
  struct bookkeeping {
    std::uint64_t ticket = 0;              // position among the requests of a connection
    void* where = nullptr;                 // the connection that has it
    request* cancel_next = nullptr;
    void* lane = nullptr;                  // a way of its own instead of the shared one
    time_point deadline = never;           // from `timeout`, computed when the request is submitted
    std::atomic<std::uint8_t> state{0};
    std::uint8_t attempts = 0;
    std::uint8_t flags = 0;
    std::uint16_t slot = 0;
    std::uint32_t extra = 0;
  } book;
};

}  // namespace seawall::cmd
