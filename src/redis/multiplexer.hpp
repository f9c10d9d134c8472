// multiplexer: which reply belongs to which request, on one connection. Performs no I/O and reads no clock.
#pragma once

#include "seawall/cmd/request.hpp"
#include "seawall/resp/scanner.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace seawall::redis {

using cmd::request;

/// Requests in the order of their bytes on the wire: those that wait to be written behind those whose replies are due.
/// A request that is given up leaves its place, not the order: a reply that is due still is read and dropped.
/// Thread safety: none.
class multiplexer {
 public:
  /// Bit of request::book.flags: the command before the last one (SUBSCRIBE) is answered by pushes, and by a reply only
  /// if it is refused. Errors are handed out beside the replies that are due, which end the request as ever.
  static constexpr std::uint8_t refusals_are_extra = 0x80;

  struct limits {
    std::size_t commands = 65536;
    std::size_t bytes = std::size_t{64} << 20;
    resp::limits reply = {};
  };

  /// Hears of what arrives. A call may push and forget requests, but not close the multiplexer's connection at once.
  class listener {
   public:
    virtual ~listener() = default;
    /// The request's own reply is an error. True: the listener has taken the request, which gets neither this reply nor
    /// an end from here.
    virtual bool take_over(request& asked, const resp::view& error_reply) = 0;
    virtual void on_push(const resp::view& message) = 0;
    /// The request has all its replies (nullptr), or there will be none.
    virtual void on_end(request& asked, const error* failure) = 0;
  };

  multiplexer(listener& who, const limits& most) : listener_(who), limits_(most), scanner_(most.reply) {}

  /// Queues a request; `asking` sends ASKING before it. The error says which limit is reached; then nothing was done.
  std::optional<error> push(request& asked, bool asking = false);

  /// The bytes to write next; empty when there are none.
  std::span<const char> unwritten();
  void written(std::size_t n) noexcept;

  /// Where the next bytes from the server go.
  std::span<char> read_space();
  /// `n` bytes were put there: hands out the replies that are complete. An error: the stream is lost.
  result<void> received(std::size_t n);

  /// Lets go of a request without telling it. True: it was written, so it may be or have been applied.
  bool forget(request& asked) noexcept;

  /// Lets go of the requests whose deadline is past, and calls `each` for them with whether they were written.
  void expire(time_point now, const std::function<void(request&, bool written)>& each);
  /// No deadline is earlier; one may be later.
  time_point earliest() const noexcept { return earliest_; }

  /// The connection broke. What was not written stays queued; of what was written, stays what `again` accepts (it will
  /// be written once more), and the others end with `failure`.
  void disconnected(const std::function<bool(request&)>& again, const error& failure);
  /// Ends all requests.
  void fail_all(const error& failure);
  /// Takes out all requests that are not written yet, in order, for another connection.
  std::vector<request*> take_waiting();

  /// What `request::generation` says from here on.
  void set_generation(std::uint64_t generation) noexcept { generation_ = generation; }

  std::size_t in_flight() const noexcept { return static_cast<std::size_t>(sent_ - head_); }
  std::size_t waiting() const noexcept { return static_cast<std::size_t>(tail_ - sent_); }
  bool empty() const noexcept { return head_ == tail_; }

 private:
  struct entry {
    request* who = nullptr;  // null: given up
    std::uint32_t left = 0;  // replies due
    std::uint32_t skip = 0;  // replies due before them that are ours (ASKING)
  };

  entry& at(std::uint64_t ticket) noexcept { return ring_[ticket & (ring_.size() - 1)]; }
  void grow();
  void compact_requests() noexcept;
  void drop_entry(entry& of) noexcept;
  result<void> dispatch(const resp::view& reply);
  void deliver(const resp::view& reply);
  void finish_head();

  listener& listener_;
  const limits limits_;

  std::vector<entry> ring_ = std::vector<entry>(64);  // a power of two
  std::uint64_t head_ = 0;                            // oldest whose reply is due
  std::uint64_t sent_ = 0;                            // first that is not written
  std::uint64_t tail_ = 0;
  std::size_t bytes_ = 0;  // of all requests in the ring
  std::size_t alive_ = 0;
  std::uint64_t generation_ = 0;
  time_point earliest_ = never;

  std::string out_;
  std::size_t out_begin_ = 0;

  resp::scanner scanner_;
  std::unique_ptr<char[]> in_;
  std::size_t in_capacity_ = 0;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::string held_error_;  // of the request at the head, which has several replies
};

}  // namespace seawall::redis
