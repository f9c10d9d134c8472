#include "servers/redis_server.hpp"
#include "servers/certificates.hpp"
#include "servers/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace seawall::servers {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class RedisServer : public ::testing::Test {
 protected:
  void SetUp() override { SEAWALL_NEEDS_SERVER(); }
};

TEST_F(RedisServer, IsReadyWhenStarted) {
  auto redis = redis_server::start();
  EXPECT_EQ(redis->run({"SET", "k", "v"}), "OK");
  EXPECT_EQ(redis->run({"GET", "k"}), "v");
  EXPECT_EQ(redis->info("role"), "master");
  EXPECT_EQ(redis->info("tcp_port"), std::to_string(redis->port()));
  EXPECT_EQ(redis->info("no_such_field"), "");
  EXPECT_THROW(redis->run({"GET"}), std::runtime_error);
  EXPECT_TRUE(redis->try_run({"GET"}).is_error());
}

TEST_F(RedisServer, SpeaksResp3) {
  auto redis = redis_server::start();
  auto client = redis->connect();
  const auto hello = client.run({"HELLO", "3"});
  EXPECT_EQ(hello.type, '%');
  EXPECT_EQ(hello["proto"], "3");
}

TEST_F(RedisServer, IsKilledAndComesBackOnItsPort) {
  auto redis = redis_server::start({.config = {"maxmemory 10mb"}});
  redis->run({"SET", "k", "v"});
  redis->kill();
  EXPECT_FALSE(redis->alive());
  EXPECT_THROW(redis->connect(), std::runtime_error);
  redis->restart();
  EXPECT_TRUE(redis->alive());
  EXPECT_TRUE(redis->run({"GET", "k"}).is_null());
  EXPECT_EQ(redis->run({"CONFIG", "GET", "maxmemory"})["maxmemory"], "10485760");
}

TEST_F(RedisServer, RestartsWhileItRuns) {
  auto redis = redis_server::start();
  const auto pid = redis->pid();
  redis->restart();
  EXPECT_NE(redis->pid(), pid);
}

TEST_F(RedisServer, AnswersAfterAPauseOnly) {
  auto redis = redis_server::start();
  auto client = redis->connect();
  redis->pause();
  EXPECT_FALSE(redis->alive());
  client.send(encode({"PING"}));
  EXPECT_FALSE(client.readable(50ms));
  redis->resume();
  EXPECT_EQ(client.receive(), "PONG");
  EXPECT_TRUE(redis->alive());
}

TEST_F(RedisServer, EndsInOrder) {
  auto redis = redis_server::start();
  redis->pause();
  redis->terminate();
  EXPECT_FALSE(redis->alive());
  EXPECT_THAT(redis->log(), HasSubstr("ready to exit"));
}

TEST_F(RedisServer, AsksForPasswords) {
  auto redis = redis_server::start({.password = "secret", .users = {"alice on >wonder ~app:* +@read +auth"}});
  EXPECT_EQ(redis->run({"SET", "app:k", "v"}), "OK");
  raw_client stranger{redis->port()};
  EXPECT_THAT(stranger.run({"GET", "app:k"}).text, StartsWith("NOAUTH"));
  EXPECT_THAT(stranger.run({"AUTH", "alice", "wrong"}).text, StartsWith("WRONGPASS"));
  EXPECT_EQ(stranger.run({"AUTH", "alice", "wonder"}), "OK");
  EXPECT_EQ(stranger.run({"GET", "app:k"}), "v");
  EXPECT_THAT(stranger.run({"SET", "app:k", "w"}).text, StartsWith("NOPERM"));
}

TEST_F(RedisServer, ListensOnAUnixSocket) {
  auto redis = redis_server::start({.unix_socket = true});
  EXPECT_EQ(raw_client{redis->unix_socket()}.run({"PING"}), "PONG");
}

TEST_F(RedisServer, ReplicatesAnother) {
  auto primary = redis_server::start({.password = "secret"});
  auto replica = redis_server::start({.password = "secret", .replica_of = primary->port()});
  wait_until("the replica is in sync", [&] { return replica->info("master_link_status") == "up"; });
  primary->run({"SET", "k", "v"});
  wait_until("the replica has the key", [&] { return replica->run({"GET", "k"}) == "v"; });
  EXPECT_THAT(replica->try_run({"SET", "k", "w"}).text, StartsWith("READONLY"));
}

TEST_F(RedisServer, ThatCannotStartSaysWhy) {
  try {
    redis_server::start({.config = {"no-such-option 1"}});
    FAIL() << "it started";
  } catch (const std::runtime_error& why) { EXPECT_THAT(why.what(), HasSubstr("no-such-option")); }
}

// Whether the openssl program gets through a handshake with the port and through all its checks.
bool shakes_hands(std::uint16_t port, const std::string& name, bool with_certificate,
                  const std::filesystem::path& authority = test_certificates().authority) {
  const auto& files = test_certificates();
  // By TLS 1.2 a missing client certificate fails the handshake, by 1.3 the first read after it.
  std::vector<std::string> command{find_program("openssl").value().string(),
                                   "s_client",
                                   "-tls1_2",
                                   "-connect",
                                   "127.0.0.1:" + std::to_string(port),
                                   "-CAfile",
                                   authority.string(),
                                   "-verify_return_error",
                                   "-verify_hostname",
                                   name};
  if (with_certificate) {
    command.insert(command.end(), {"-cert", files.client.string(), "-key", files.client_key.string()});
  }
  const temp_dir folder{"openssl"};
  process run{command, folder.path(), folder.path() / "log"};
  return run.wait(30s) == 0;
}

TEST_F(RedisServer, SpeaksTls) {
  struct row {
    const char* what;
    tls_mode mode;
    const char* name;
    bool certificate;
    bool works;
  };
  const row rows[] = {
      {"the right name", tls_mode::on, "localhost", false, true},
      {"another name", tls_mode::on, "elsewhere.test", false, false},
      {"the wrong name", tls_mode::wrong_name, "localhost", false, false},
      {"the wrong name is its name", tls_mode::wrong_name, "elsewhere.test", false, true},
      {"no client certificate", tls_mode::mutual, "localhost", false, false},
      {"a client certificate", tls_mode::mutual, "localhost", true, true},
  };
  for (const auto& row : rows) {
    auto redis = redis_server::start({.tls = row.mode});
    EXPECT_EQ(redis->run({"PING"}), "PONG") << row.what;
    EXPECT_EQ(shakes_hands(redis->tls_port(), row.name, row.certificate), row.works) << row.what;
  }
  auto redis = redis_server::start({.tls = tls_mode::on});
  EXPECT_FALSE(shakes_hands(redis->tls_port(), "localhost", false, test_certificates().other_authority));
}

}  // namespace
}  // namespace seawall::servers
