#include "servers/tcp_proxy.hpp"
#include "servers/fake_server.hpp"
#include "servers/ports.hpp"
#include "servers/raw_client.hpp"
#include "servers/wait.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace seawall::servers {
namespace {

using namespace std::chrono_literals;

const std::string ping = encode({"PING"});
const std::string pong = "+PONG\r\n";

class TcpProxy : public ::testing::Test {
 protected:
  raw_client connect() { return raw_client{proxy.port()}; }

  fake_server server{answers::redis()};
  tcp_proxy proxy{server.port()};
};

TEST_F(TcpProxy, ForwardsAndCounts) {
  auto client = connect();
  EXPECT_EQ(client.run({"SET", "k", std::string(300'000, 'x')}), "OK");
  EXPECT_EQ(client.run({"GET", "k"}), std::string(300'000, 'x'));
  EXPECT_GT(proxy.bytes(direction::to_server), 300'000U);
  EXPECT_GT(proxy.bytes(direction::to_client), 300'000U);
  auto other = connect();
  EXPECT_EQ(other.run({"PING"}), "PONG");
  EXPECT_EQ(proxy.accepted(), 2U);
  EXPECT_EQ(proxy.open(), 2U);
}

TEST_F(TcpProxy, HeldRepliesComeWhenReleased) {
  auto client = connect();
  client.run({"PING"});
  const auto before = proxy.bytes(direction::to_client);
  proxy.hold(direction::to_client);
  client.send(ping);
  wait_until("the command arrives", [&] { return server.received().size() == 2; });
  EXPECT_FALSE(client.readable(20ms));
  EXPECT_EQ(proxy.bytes(direction::to_client), before);
  proxy.release(direction::to_client);
  EXPECT_EQ(client.receive(), "PONG");
}

TEST_F(TcpProxy, HeldCommandsDoNotArrive) {
  auto client = connect();
  client.run({"PING"});
  proxy.hold(direction::to_server);
  client.send(ping);
  EXPECT_FALSE(client.readable(20ms));
  EXPECT_EQ(server.received().size(), 1U);
  proxy.release();
  EXPECT_EQ(client.receive(), "PONG");
}

TEST_F(TcpProxy, AHeldDirectionBlocksItsSender) {
  raw_client client{proxy.port(), 100ms};
  client.run({"PING"});
  proxy.hold();
  EXPECT_THROW(client.send(std::string(64'000'000, 'x')), std::runtime_error);
}

TEST_F(TcpProxy, DroppedBytesNeverArriveAndTheirConnectionIsReset) {
  auto lossy = connect();
  auto idle = connect();
  EXPECT_EQ(lossy.run({"PING"}), "PONG");
  EXPECT_EQ(idle.run({"PING"}), "PONG");
  proxy.drop();
  lossy.send(ping);
  EXPECT_FALSE(lossy.readable(50ms));
  EXPECT_EQ(server.received().size(), 2U);
  proxy.release();
  bool reset = false;
  EXPECT_EQ(lossy.receive_all(&reset), "");
  EXPECT_TRUE(reset);
  EXPECT_EQ(idle.run({"PING"}), "PONG");
}

TEST_F(TcpProxy, DelaysBytesThatArriveFromNowOn) {
  auto client = connect();
  client.run({"PING"});
  proxy.delay(30ms);
  const auto begin = std::chrono::steady_clock::now();
  client.send(ping + ping + ping);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.receive(), "PONG");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 60ms);
  proxy.delay(0ms);
  EXPECT_EQ(client.run({"PING"}), "PONG");
}

TEST_F(TcpProxy, SlicesWhatItForwards) {
  // Each piece that arrives alone is one "command", as it is no RESP. Pieces may meet on their way: try again.
  fake_server pieces{[](fake_connection&, const arguments& bytes) { return bytes[0]; }};
  proxy.retarget(pieces.port());
  proxy.slice(direction::to_server, 1);
  auto client = connect();
  std::size_t before = 0;
  wait_until("two bytes arrive apart", [&] {
    before = pieces.received().size();
    client.send("ab");
    EXPECT_EQ(client.receive_bytes(2), "ab");
    return pieces.received().size() == before + 2;
  });
  proxy.slice(direction::to_server, 0);
  client.send("ab");
  EXPECT_EQ(client.receive_bytes(2), "ab");
}

TEST_F(TcpProxy, CutsBehindTheGivenByteOnce) {
  for (const auto how : {ending::reset, ending::close}) {
    auto client = connect();
    client.run({"PING"});
    proxy.cut_after(direction::to_client, pong.size() + 3, how);
    client.send(ping + ping + ping);
    bool reset = false;
    EXPECT_EQ(client.receive_all(&reset), pong + pong.substr(0, 3));
    EXPECT_EQ(reset, how == ending::reset);
    EXPECT_EQ(connect().run({"PING"}), "PONG");
  }
}

TEST_F(TcpProxy, CutsBeforeTheFirstByte) {
  auto client = connect();
  client.run({"PING"});
  proxy.cut_after(direction::to_server, 0);
  client.send(ping);
  bool reset = false;
  EXPECT_EQ(client.receive_all(&reset), "");
  EXPECT_TRUE(reset);
  EXPECT_EQ(server.received().size(), 1U);
}

TEST_F(TcpProxy, EndsOpenConnections) {
  for (const bool reset : {true, false}) {
    auto client = connect();
    client.run({"PING"});
    reset ? proxy.reset() : proxy.close();
    EXPECT_EQ(proxy.open(), 0U);
    bool was_reset = false;
    EXPECT_EQ(client.receive_all(&was_reset), "");
    EXPECT_EQ(was_reset, reset);
    wait_until("the server sees the end", [&] { return server.open() == 0; });
  }
}

TEST_F(TcpProxy, RefusesNewConnectionsOnly) {
  auto client = connect();
  EXPECT_EQ(client.run({"PING"}), "PONG");
  proxy.refuse();
  EXPECT_THROW(connect(), std::runtime_error);
  EXPECT_EQ(client.run({"PING"}), "PONG");
  proxy.accept();
  proxy.accept();
  EXPECT_EQ(connect().run({"PING"}), "PONG");
}

TEST_F(TcpProxy, RetargetsNewConnectionsOnly) {
  fake_server other{answers::always("+other\r\n")};
  auto old = connect();
  EXPECT_EQ(old.run({"PING"}), "PONG");
  proxy.retarget(other.port());
  EXPECT_EQ(connect().run({"PING"}), "other");
  EXPECT_EQ(old.run({"PING"}), "PONG");
}

TEST_F(TcpProxy, ResetsAClientWhoseTargetIsDown) {
  proxy.retarget(reserve_port());
  auto client = connect();
  bool reset = false;
  EXPECT_EQ(client.receive_all(&reset), "");
  EXPECT_TRUE(reset);
}

TEST_F(TcpProxy, PassesTheEndOfOneDirection) {
  auto client = connect();
  client.run({"PING"});
  client.finish();
  bool reset = false;
  EXPECT_EQ(client.receive_all(&reset), "");
  EXPECT_FALSE(reset);
  wait_until("both ends are passed on", [&] { return proxy.open() == 0 && server.open() == 0; });
}

}  // namespace
}  // namespace seawall::servers
