#include "servers/fake_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace seawall::servers {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

TEST(FakeServer, AnswersWhatTheHandlerReturns) {
  fake_server server{[](fake_connection& connection, const arguments& command) {
    connection.send("+" + std::to_string(connection.number()) + "\r\n");
    return ":" + std::to_string(connection.commands()) + "\r\n$1\r\n" + command[0].substr(0, 1) + "\r\n";
  }};
  raw_client first{server.port()};
  raw_client second{server.port()};
  first.send(encode({"abc"}) + encode({"x"}));
  for (const char* expected : {"0", "1", "a", "0", "2", "x"}) EXPECT_EQ(first.receive(), expected);
  EXPECT_EQ(second.run({"yz", ""}), "1");
  EXPECT_THAT(server.received(), ElementsAre(arguments{"abc"}, arguments{"x"}, arguments{"yz", ""}));
  EXPECT_EQ(server.accepted(), 2U);
}

TEST(FakeServer, TakesCommandsInAnyPieces) {
  fake_server server{answers::redis()};
  raw_client client{server.port()};
  const std::string bytes = encode({"SET", "k", "a\r\nb"}) + encode({"GET", "k"});
  client.send(bytes.substr(0, 1));
  for (std::size_t i = 1; i < bytes.size(); ++i) client.send(bytes.substr(i, 1));
  EXPECT_EQ(client.receive(), "OK");
  EXPECT_EQ(client.receive(), "a\r\nb");
}

TEST(FakeServer, GivesBytesThatAreNoCommandToTheHandler) {
  fake_server server{answers::always("?")};
  raw_client client{server.port()};
  client.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.receive_bytes(1), "?");
  EXPECT_THAT(server.received(), ElementsAre(arguments{"GET / HTTP/1.1\r\n\r\n"}));
}

TEST(FakeServer, GreetsAndBroadcastsAndEnds) {
  fake_server server{answers::redis(), [](fake_connection&) { return "-ERR max number of clients reached\r\n"; }};
  raw_client client{server.port()};
  EXPECT_TRUE(client.receive().is_error());
  server.broadcast(">1\r\n+x\r\n");
  EXPECT_EQ(client.receive().elements.at(0), "x");
  EXPECT_EQ(server.open(), 1U);
  server.close_all();
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(server.open(), 0U);
}

TEST(FakeServer, ClosesAndResetsBehindTheAnswer) {
  for (const bool with_reset : {false, true}) {
    fake_server server{[=](fake_connection& connection, const arguments&) {
      with_reset ? connection.reset() : connection.close();
      return "+bye\r\n";
    }};
    raw_client client{server.port()};
    client.send(encode({"PING"}));
    bool reset = false;
    EXPECT_EQ(client.receive_all(&reset), "+bye\r\n");
    EXPECT_EQ(reset, with_reset);
  }
}

TEST(Answers, LittleRedis) {
  fake_server server{answers::redis()};
  raw_client client{server.port()};
  EXPECT_EQ(client.run({"HELLO", "3"})["proto"], "3");
  EXPECT_EQ(client.run({"hello", "2"})["proto"], "2");
  EXPECT_EQ(client.run({"PING"}), "PONG");
  EXPECT_TRUE(client.run({"GET", "k"}).is_null());
  EXPECT_EQ(client.run({"SET", "k", "v"}), "OK");
  EXPECT_EQ(client.run({"GET", "k"}), "v");
  EXPECT_EQ(client.run({"DEL", "k"}), "1");
  EXPECT_TRUE(client.run({"LPUSH", "l", "v"}).is_error());
}

TEST(Answers, Http) {
  fake_server server{answers::http()};
  raw_client client{server.port()};
  client.send(encode({"HELLO", "3"}));
  EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 400"));
}

TEST(Answers, Resp2Only) {
  fake_server server{answers::resp2_only(answers::redis())};
  raw_client client{server.port()};
  EXPECT_THAT(client.run({"HELLO", "3"}).text, StartsWith("ERR unknown command"));
  EXPECT_EQ(client.run({"PING"}), "PONG");
}

TEST(Answers, LoadingRefusesSomeCommandsOfAllConnections) {
  fake_server server{answers::loading(2, answers::redis())};
  raw_client client{server.port()};
  EXPECT_FALSE(client.run({"HELLO", "3"}).is_error());
  EXPECT_THAT(client.run({"PING"}).text, StartsWith("LOADING"));
  EXPECT_THAT(raw_client{server.port()}.run({"GET", "k"}).text, StartsWith("LOADING"));
  EXPECT_EQ(client.run({"PING"}), "PONG");
}

TEST(Answers, ClosingAtACommand) {
  fake_server server{answers::closing_at(2, answers::redis())};
  for (int i = 0; i < 2; ++i) {
    raw_client client{server.port()};
    EXPECT_EQ(client.run({"PING"}), "PONG");
    client.send(encode({"PING"}));
    EXPECT_EQ(client.receive_all(), "");
  }
}

TEST(Answers, Sliced) {
  fake_server server{answers::sliced(1, answers::always("+a\r\n"))};
  raw_client client{server.port()};
  client.send(encode({"x"}) + encode({"y"}));
  EXPECT_EQ(client.receive_bytes(8), "+a\r\n+a\r\n");
}

}  // namespace
}  // namespace seawall::servers
