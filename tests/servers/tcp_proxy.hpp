// tcp_proxy: stands between a client and a server and breaks the network on demand.
//
//     tcp_proxy proxy{redis->port()};          // clients connect to proxy.port()
//     proxy.hold(direction::to_client);        // replies stay away
//     proxy.release(direction::to_client);     // ... and come
//     proxy.cut_after(direction::to_client, 5);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace seawall::servers {

enum class direction : std::uint8_t { to_server, to_client };

/// How a connection ends: by a TCP reset, or by an orderly close.
enum class ending : std::uint8_t { reset, close };

/// Forwards connections from a port of 127.0.0.1 to another one. A fault applies to all connections, open and future
/// ones, until it is taken back; faults combine. When a control returns, it is in force: no byte passes after `hold`.
/// A half-closed connection stays half-closed. Runs on a thread of its own.
/// Thread safety: all members.
class tcp_proxy {
 public:
  explicit tcp_proxy(std::uint16_t target);
  ~tcp_proxy();
  tcp_proxy(const tcp_proxy&) = delete;
  tcp_proxy& operator=(const tcp_proxy&) = delete;

  std::uint16_t port() const noexcept;
  /// Where the connections accepted from now on go.
  void retarget(std::uint16_t target);

  /// Reads and writes nothing: bytes pile up in the sender's socket until it blocks. Ends are held, too.
  void hold(direction way);
  /// Both directions: a partition.
  void hold();
  /// Reads everything and forwards nothing, ends included.
  void drop(direction way);
  void drop();
  /// Ends hold and drop. A connection of which bytes or an end were dropped is reset: a TCP stream has no gaps.
  void release(direction way);
  void release();
  /// Bytes that arrive from now on leave so much later; 0 ends it. The rate is not limited.
  void delay(direction way, std::chrono::milliseconds by);
  void delay(std::chrono::milliseconds by);
  /// Forwards at most so many bytes by one write; 0 ends it. 1: the receiver sees single bytes if it reads fast enough.
  void slice(direction way, std::size_t bytes);
  /// Once: lets exactly so many more bytes pass (all connections counted together), and ends the connection that
  /// carried the last of them. With 0, the next connection that has a byte to carry ends before it.
  void cut_after(direction way, std::uint64_t bytes, ending how = ending::reset);

  /// Ends all open connections on both sides, now.
  void reset();
  void close();
  /// Stops listening: connecting fails with "connection refused". Open connections stay.
  void refuse();
  /// Listens again.
  void accept();

  /// Connections accepted since the start, and those open at present.
  std::size_t accepted() const;
  std::size_t open() const;
  /// Bytes forwarded since the start.
  std::uint64_t bytes(direction way) const;

 private:
  struct state;
  template <class Change>
  auto on_thread(Change change) const;

  std::unique_ptr<state> state_;
};

}  // namespace seawall::servers
