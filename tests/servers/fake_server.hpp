// fake_server: a server that answers what a test says, for the answers that no real server gives.
//
//     fake_server odd{[](fake_connection&, const arguments& command) { return "+QUEUED\r\n"; }};
//     fake_server web{answers::http()};
//     fake_server slow{answers::loading(3, answers::redis())};
#pragma once

#include "servers/raw_client.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::servers {

/// What a handler can do with the connection besides returning bytes. For the handler's call only; `fake_server` sends
/// and closes from outside.
class fake_connection {
 public:
  virtual ~fake_connection() = default;

  /// The number of the connection, from 0, and the commands that came on it, the present one included.
  std::size_t number() const noexcept { return number_; }
  std::size_t commands() const noexcept { return commands_; }
  /// Bytes before those that the handler returns.
  virtual void send(std::string_view bytes) = 0;
  /// From now on so many bytes by one write, with a pause of a millisecond between two; 0 ends it.
  virtual void slice(std::size_t bytes) = 0;
  /// Closes, or resets, when all that was sent before is written; nothing is read any more.
  virtual void close() = 0;
  virtual void reset() = 0;

 protected:
  std::size_t number_ = 0;
  std::size_t commands_ = 0;
};

/// Returns the bytes to answer, which may be none or several replies. A command is an array of bulk strings; anything
/// else that arrives is one "command" of one argument, all bytes that are there. Called on the server's thread, for one
/// connection at a time.
using handler = std::function<std::string(fake_connection&, const arguments&)>;
/// Returns the bytes to send when a connection is accepted.
using greeting = std::function<std::string(fake_connection&)>;

/// Listens on a port of 127.0.0.1 while it lives. Thread safety: all members.
class fake_server {
 public:
  explicit fake_server(handler on_command, greeting on_connect = {});
  ~fake_server();
  fake_server(const fake_server&) = delete;
  fake_server& operator=(const fake_server&) = delete;

  std::uint16_t port() const noexcept;
  /// All commands of all connections, in the order of their arrival.
  std::vector<arguments> received() const;
  /// Connections accepted since the start, and those open at present.
  std::size_t accepted() const;
  std::size_t open() const;
  /// Sends bytes that answer nothing, such as a push, on all open connections.
  void broadcast(std::string bytes);
  /// Ends all open connections.
  void close_all();

 private:
  struct state;
  class session;

  std::unique_ptr<state> state_;
};

/// Handlers, to be wrapped around each other.
namespace answers {

/// A little Redis: HELLO 2 and 3, PING, ECHO, SELECT, AUTH, CLIENT, SET, GET, DEL; an error for all others. All
/// connections of all servers made with one such handler share the data.
handler redis();
/// The same bytes for each command.
handler always(std::string bytes);
/// A web server that does not understand, and closes.
handler http();
/// HELLO is an unknown command, as before Redis 6.
handler resp2_only(handler then);
/// The first `times` commands that a loading server refuses are refused with -LOADING, all connections counted.
handler loading(std::size_t times, handler then);
/// Closes a connection instead of answering its command number `which`, counted from 1.
handler closing_at(std::size_t which, handler then);
/// Sends all answers in pieces of so many bytes.
handler sliced(std::size_t bytes, handler then);

}  // namespace answers
}  // namespace seawall::servers
