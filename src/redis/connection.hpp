// connection: one multiplexed connection to one server: connects when there is something to send, greets, writes what
// is queued, hands out replies, watches the peer, and comes back after a failure.
#pragma once

#include "backoff.hpp"
#include "handshake.hpp"
#include "liveness.hpp"
#include "multiplexer.hpp"
#include "services.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>

namespace seawall::redis {

class connection;

/// Hears of what a connection cannot decide itself. A call may submit to and close any connection.
class connection_owner {
 public:
  virtual ~connection_owner() = default;
  /// The server refused the request before running it. True: the owner sends it somewhere else, or later.
  virtual bool redirect(connection& from, request& asked, const resp::view& error_reply) = 0;
  virtual void on_push(connection& /*from*/, const resp::view& /*message*/) {}
  /// Greeted: requests flow from here on.
  virtual void on_ready(connection& /*who*/) {}
  /// It was ready and is not any more, or an attempt to connect failed. The connection tries again by itself.
  virtual void on_down(connection& /*who*/, const error& /*why*/) {}
  /// A request had no reply in time.
  virtual void on_late(connection& /*who*/) {}
  /// A batch of replies was handed out: what their receivers submitted may be written now.
  virtual void on_batch() {}
};

/// Thread safety: none; lives on the client's executor. Held by std::shared_ptr, which its I/O shares.
class connection final : public std::enable_shared_from_this<connection>,
                         public holder,
                         private multiplexer::listener,
                         private net::stream::events {
 public:
  enum class state { idle, connecting, greeting, ready, waiting, closed };

  struct settings {
    bool tracking = false;
    bool read_only = false;
    bool must_be_primary = false;
    bool reconnect = true;   // off: a connection with state of its own (a session); it fails for good
    bool sentinel = false;   // to a sentinel: no database, no tracking, no login unless `login`
    bool login = true;       // user and password are sent
  };

  connection(services& with, ender& ends, connection_owner& owner, net::address to, const settings& how);
  ~connection() override;

  /// Queues a request, and connects first if need be. Ends it at once if it cannot be queued.
  void submit(request& asked, bool asking = false);
  /// Writes what is queued, as far as the socket takes it.
  void flush();
  bool forget(request& asked) override;
  /// Begins to connect without waiting for a request.
  void open();
  /// Ends the connection for good, and all its requests with `why`.
  void close(const error& why);
  /// Ends this connection and makes a new one: the server has another role now.
  void restart(const error& why);
  /// Ends the connection for good, because another one takes its place, and hands over what may be sent there: what is
  /// not written yet, and what may be repeated. The rest ends with `why`. Not to be called while it hands out replies.
  std::vector<request*> retire(const error& why);
  /// Requests that are not written yet, for another connection.
  std::vector<request*> take_waiting();

  const net::address& address() const noexcept { return address_; }
  state now_in() const noexcept { return state_; }
  bool idle() const noexcept { return mux_.empty(); }
  /// The last attempt failed in a way in which the next one will, too: requests end at once.
  bool refused() const noexcept { return refused_; }
  std::size_t load() const noexcept { return mux_.in_flight() + mux_.waiting(); }
  std::uint64_t generation() const noexcept { return generation_; }
  const capabilities& found() const noexcept { return capabilities_; }
  std::int64_t client_id() const noexcept { return client_id_; }

 private:
  // multiplexer::listener
  bool take_over(request& asked, const resp::view& error_reply) override;
  void on_push(const resp::view& message) override;
  void on_end(request& asked, const error* failure) override;
  // net::stream::events
  void on_readable() override;
  void on_writable() override;

  std::shared_ptr<net::stream::events> self_events();
  void connect();
  void connected(result<std::unique_ptr<net::stream>> made);
  void greet();
  void write_greeting();
  void read_greeting();
  void heed_greeting(std::string_view rest);
  void became_ready(std::string_view rest);
  error broken(boost::system::error_code failed) const;
  void lost(error why, bool for_good = false);
  void end_unrepeatable(const error& why);
  void read_replies();
  void arm();
  void on_timer();
  void ping();
  void invalidated(const resp::view& message);
  void expired(request& asked, bool written);

  services& services_;
  ender& ends_;
  connection_owner& owner_;
  const net::address address_;
  const settings settings_;

  state state_ = state::idle;
  std::shared_ptr<net::connecting> attempt_;
  std::unique_ptr<net::stream> stream_;
  std::optional<handshake> handshake_;
  resp::scanner greeting_scanner_;
  std::string greeting_in_;
  std::size_t greeting_sent_ = 0;
  multiplexer mux_;
  redis::backoff backoff_;
  liveness liveness_;
  boost::asio::steady_timer timer_;
  time_point armed_ = never;
  time_point reconnect_at_ = never;
  time_point greeted_by_ = never;  // else the attempt has failed
  std::optional<error> last_failure_;  // of the attempts since it was last ready
  bool refused_ = false;               // and the next attempt will fail, too
  std::uint64_t generation_ = 0;
  capabilities capabilities_;
  std::int64_t client_id_ = 0;
  bool write_blocked_ = false;
  bool handing_out_ = false;           // replies of one read
  std::size_t ended_ = 0;              // of them, since the last write
  std::size_t enough_to_write_ = 0;
  bool dirty_ = false;      // among services::dirty
  bool announced_ = false;  // tracking was acknowledged on this generation

  class probe;  // our own PING
  std::unique_ptr<probe> probe_;
};

}  // namespace seawall::redis
