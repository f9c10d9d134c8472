// node: one server, with the connections to it.
#pragma once

#include "connection.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace seawall::redis {

/// Multiplexed connections that all commands share, and dedicated ones that blocking commands have for themselves one
/// at a time. Thread safety: none; lives on the client's executor.
class node {
 public:
  node(services& with, ender& ends, connection_owner& owner, net::address to, const connection::settings& how);

  /// Sends the request on the right kind of connection.
  void submit(request& asked, bool asking = false);
  /// Begins to connect.
  void open();
  void close(const error& why);
  /// Ends all connections, and hands over the requests that may be sent elsewhere: see connection::retire.
  std::vector<request*> retire(const error& why);
  /// No request is under way.
  bool idle() const noexcept;
  /// Whether a shared connection is greeted.
  bool ready() const noexcept;
  bool owns(const connection& one) const noexcept;
  /// Requests that are not written yet.
  std::vector<request*> take_waiting();

  const net::address& address() const noexcept { return address_; }
  const std::vector<std::shared_ptr<connection>>& shared() const noexcept { return shared_; }
  /// A connection of its own that does not come back once it is lost, for a session or a subscription.
  std::shared_ptr<connection> make_private(connection_owner& owner) const;

 private:
  connection& shared_for(const request& asked);
  connection* free_dedicated();

  services& services_;
  ender& ends_;
  connection_owner& owner_;
  const net::address address_;
  const connection::settings settings_;
  std::vector<std::shared_ptr<connection>> shared_;
  std::vector<std::shared_ptr<connection>> dedicated_;
};

/// The first key of an encoded command; empty if it has none.
std::string_view first_key(const request& asked);

}  // namespace seawall::redis
