// relay: one connection through a tcp_proxy, and the faults that it obeys.
#pragma once

#include "servers/tcp_proxy.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace seawall::servers {

/// What happens to the bytes of one direction, of all connections.
struct flow_faults {
  bool held = false;
  bool dropped = false;
  std::chrono::milliseconds delay{0};
  std::size_t slice = 0;
  std::optional<std::uint64_t> left = std::nullopt;  ///< Bytes until the cut.
  ending cut = ending::reset;
  std::uint64_t forwarded = 0;
};

using faults = std::array<flow_faults, 2>;  // by direction

/// Both directions of one connection. Lives on the proxy's thread only.
class relay : public std::enable_shared_from_this<relay> {
 public:
  using tcp = boost::asio::ip::tcp;

  /// `on_end` is called once, when both sockets are closed.
  relay(tcp::socket client, boost::asio::io_context& context, faults& all, std::function<void(relay&)> on_end);

  /// Connects to 127.0.0.1:`target` and forwards; ends by a reset if that fails.
  void start(std::uint16_t target);
  /// After a change of the faults: goes on with what may go on.
  void wake();
  /// Resets the connection if it has lost bytes of this direction.
  void end_if_lossy(direction way);
  void end(ending how);

 private:
  struct chunk {
    std::string bytes;
    std::size_t done = 0;
    std::chrono::steady_clock::time_point due;
  };

  struct flow {
    tcp::socket& from;
    tcp::socket& to;
    flow_faults& how;
    boost::asio::steady_timer timer;
    std::deque<chunk> queue = {};
    std::size_t queued = 0;
    bool reading = false;  // an operation is under way
    bool writing = false;  // ... or the front waits until it is due
    bool ended = false;    // the sender has closed its half
    bool shut = false;     // ... and that was passed on
    bool lossy = false;
  };

  void read(flow& f);
  void take(flow& f);
  void write(flow& f);
  void write_front(flow& f);
  void pass_end(flow& f);

  tcp::socket client_;
  tcp::socket server_;
  std::function<void(relay&)> on_end_;
  std::array<flow, 2> flows_;
  bool connected_ = false;
  bool over_ = false;
};

}  // namespace seawall::servers
