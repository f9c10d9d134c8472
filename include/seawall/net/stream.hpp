// stream: one established connection as bytes, plain or TLS, TCP or Unix socket. The seam at which a simulator replaces
// the network.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace seawall::net {

/// Reads and writes never block; where they cannot go on, `wait_*` tells when they can.
/// Thread safety: none; everything happens on the executor that the stream was made with.
class stream {
 public:
  /// Hears of readiness. One wait of each kind may be under way; each is answered once, never from inside the call that
  /// began it, and not at all after `close`.
  class events {
   public:
    virtual ~events() = default;
    virtual void on_readable() = 0;
    virtual void on_writable() = 0;
  };

  virtual ~stream() = default;

  /// Reads what is there: the number of bytes, 0 when there is nothing now. `failed` is set when the stream has ended
  /// (asio::error::eof) or broken.
  virtual std::size_t try_read(std::span<char> into, boost::system::error_code& failed) = 0;
  /// Whether bytes lie ready that the system does not announce as readable: read again instead of waiting.
  virtual bool holds_more() const noexcept { return false; }
  /// Writes a beginning of `bytes`: the number of bytes taken, 0 when none can be taken now.
  virtual std::size_t try_write(std::span<const char> bytes, boost::system::error_code& failed) = 0;

  virtual void wait_readable(std::shared_ptr<events> who) = 0;
  virtual void wait_writable(std::shared_ptr<events> who) = 0;

  /// Ends the stream at once; idempotent.
  virtual void close() noexcept = 0;
};

}  // namespace seawall::net
