#include "connection.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace seawall::redis {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using texts = std::vector<std::string>;

// Keeps its replies, and its end: "ok", or the failure.
struct kept_request final : request {
  kept_request() { bytes = "*1\r\n$4\r\nPING\r\n"; }
  void on_reply(std::size_t, resp::view reply) noexcept override { told.emplace_back(reply.text()); }
  void on_end(const error* failure) noexcept override { told.push_back(failure ? failure->message() : "ok"); }
  texts told;
};

// A connection to a peer that says what a test wants; the sentinel's greeting is the shortest.
struct one_connection : testing::Test, connection_owner, ender {
  one_connection() {
    shared.executor = context.get_executor();
    shared.clock = make_steady_clock();
    ender& ends = *this;
    connection_owner& owner = *this;
    made = std::make_shared<connection>(shared, ends, owner,
                                        net::address{"127.0.0.1", acceptor.local_endpoint().port()},
                                        connection::settings{.reconnect = false, .sentinel = true});
    bool accepted = false;
    acceptor.async_accept(peer, [&](boost::system::error_code failed) { accepted = !failed; });
    made->open();
    run_until([&] { return accepted; });
    say("%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nmode\r\n$8\r\nsentinel\r\n+PONG\r\n");
    run_until([this] { return made->now_in() == connection::state::ready; });
  }
  ~one_connection() override { made->close(error{errc::closed}); }

  void say(std::string_view bytes) { asio::write(peer, asio::buffer(bytes)); }
  void run_until(const std::function<bool()>& done) {
    while (!done()) {
      if (context.run_one_for(10s) == 0) throw std::runtime_error("nothing happens any more");
    }
  }

  bool redirect(connection&, request&, const resp::view&) override { return false; }
  void on_push(connection& from, const resp::view&) override { from.close(error{errc::closed, "its owner closed it"}); }
  void end(request& asked, const error* failure) override { asked.on_end(failure); }

  asio::io_context context;
  tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  tcp::socket peer{context};
  services shared;
  std::shared_ptr<connection> made;
};

TEST_F(one_connection, may_be_closed_by_its_owner_while_replies_are_handed_out) {
  kept_request before, after;
  made->submit(before);
  made->submit(after);
  made->flush();
  say("+1\r\n>1\r\n$4\r\nstop\r\n+2\r\n");
  run_until([&] { return !after.told.empty(); });
  EXPECT_EQ(before.told, (texts{"1", "ok"}));
  EXPECT_EQ(after.told, texts{"its owner closed it"}) << "and not its reply";
  EXPECT_EQ(made->now_in(), connection::state::closed);
  boost::system::error_code end;
  std::string rest;
  asio::read(peer, asio::dynamic_buffer(rest), end);
  EXPECT_EQ(end, asio::error::eof);
}

}  // namespace
}  // namespace seawall::redis
