#include "handshake.hpp"

#include "seawall/cmd/error.hpp"
#include "seawall/resp/scanner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seawall::redis {
namespace {

using testing::HasSubstr;
using testing::Not;

const greeting plain{.address = "db:6379"};
constexpr std::string_view hello_ok = "%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n";

handshake::state answer(handshake& to, std::initializer_list<std::string_view> frames) {
  auto last = handshake::state::going_on;
  for (const auto frame : frames) last = to.on_reply(resp::view{frame});
  return last;
}

TEST(handshake, is_one_piece_that_ends_with_ping) {
  const handshake greets{plain};
  EXPECT_THAT(std::string{greets.bytes()}, testing::StartsWith("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"));
  EXPECT_THAT(std::string{greets.bytes()}, testing::EndsWith("*1\r\n$4\r\nPING\r\n"));
}

TEST(handshake, logs_in_names_itself_and_selects) {
  const handshake greets{{.address = "db:6379", .user = "ada", .password = "secret", .client_name = "web",
                          .database = 7, .tracking = true, .read_only = true, .must_be_primary = true}};
  const std::string bytes{greets.bytes()};
  EXPECT_THAT(bytes, HasSubstr("$4\r\nAUTH\r\n$3\r\nada\r\n$6\r\nsecret\r\n$7\r\nSETNAME\r\n$3\r\nweb\r\n"));
  EXPECT_THAT(bytes, HasSubstr("$6\r\nSELECT\r\n$1\r\n7\r\n"));
  EXPECT_THAT(bytes, HasSubstr("$8\r\nTRACKING\r\n$2\r\nON\r\n"));
  EXPECT_THAT(bytes, HasSubstr("$8\r\nREADONLY\r\n"));
  EXPECT_THAT(bytes, HasSubstr("$4\r\nROLE\r\n"));
}

TEST(handshake, asks_for_news_of_all_keys_that_begin_so) {
  const handshake some{{.address = "db:6379", .tracking = true, .broadcast = true, .prefixes = {"a:", "b"}}};
  EXPECT_THAT(std::string{some.bytes()},
              HasSubstr("*8\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n$5\r\nBCAST\r\n"
                        "$6\r\nPREFIX\r\n$2\r\na:\r\n$6\r\nPREFIX\r\n$1\r\nb\r\n"));
  const handshake all{{.address = "db:6379", .tracking = true, .broadcast = true}};
  EXPECT_THAT(std::string{all.bytes()},
              HasSubstr("*4\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n$5\r\nBCAST\r\n"));
}

TEST(handshake, a_password_alone_is_that_of_the_default_user) {
  const handshake greets{{.address = "db:6379", .password = "secret"}};
  EXPECT_THAT(std::string{greets.bytes()}, HasSubstr("$7\r\ndefault\r\n$6\r\nsecret\r\n"));
}

TEST(handshake, is_ready_after_pong_and_knows_what_the_server_can_do) {
  handshake greets{plain};
  EXPECT_EQ(answer(greets, {hello_ok, ":42\r\n", "+OK\r\n",
                            "*5\r\n_\r\n*1\r\n$5\r\ndelex\r\n_\r\n*1\r\n+x\r\n*1\r\n+x\r\n",
                            "*1\r\n$4\r\nIFEQ\r\n"}),
            handshake::state::going_on);
  EXPECT_EQ(answer(greets, {"+PONG\r\n"}), handshake::state::ready);
  EXPECT_EQ(greets.client_id(), 42);
  EXPECT_EQ(greets.found(), (capabilities{.set_ifeq = true, .delex = true, .sharded_pubsub = true, .functions = true}));
}

TEST(handshake, does_without_what_an_old_server_or_a_bounded_user_lacks) {
  handshake greets{plain};
  EXPECT_EQ(answer(greets, {hello_ok, "-NOPERM no\r\n", "-ERR unknown subcommand\r\n", "-NOPERM no\r\n",
                            "-ERR unknown subcommand\r\n", "+PONG\r\n"}),
            handshake::state::ready);
  EXPECT_EQ(greets.found(), capabilities{});
}

struct refused_greeting {
  const char* name;
  std::vector<std::string_view> frames;
  handshake::state verdict;
  boost::system::error_code code;
  const char* text;
};

TEST(handshake, says_what_is_wrong_and_whether_another_attempt_may_help) {
  const refused_greeting table[] = {
      {"wrong password", {"-WRONGPASS invalid username-password pair\r\n"}, handshake::state::refused,
       cmd::errc::wrong_pass, "user 'default' or its password is wrong"},
      {"no password", {"-NOAUTH HELLO must be called with the client already authenticated\r\n"},
       handshake::state::refused, cmd::errc::no_auth, "set user and password"},
      {"RESP2 only", {"-ERR unknown command 'HELLO'\r\n"}, handshake::state::refused, cmd::errc::no_proto,
       "does not speak RESP3"},
      {"downgrade", {"%1\r\n+proto\r\n:2\r\n"}, handshake::state::refused, cmd::errc::no_proto, "another protocol"},
      {"loading", {hello_ok, ":1\r\n", "+OK\r\n", "*0\r\n", "*0\r\n", "-LOADING Redis is loading the dataset\r\n"},
       handshake::state::failed, cmd::errc::loading, "LOADING"},
  };
  for (const refused_greeting& row : table) {
    handshake greets{plain};
    handshake::state last{};
    for (const auto frame : row.frames) last = greets.on_reply(resp::view{frame});
    EXPECT_EQ(last, row.verdict) << row.name;
    EXPECT_EQ(greets.failure().code(), row.code) << row.name;
    EXPECT_THAT(greets.failure().message(), testing::AllOf(HasSubstr("db:6379"), HasSubstr(row.text))) << row.name;
  }
}

TEST(handshake, a_replica_is_no_primary) {
  handshake greets{{.address = "db:6379", .must_be_primary = true}};
  EXPECT_EQ(answer(greets, {hello_ok, "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n"}),
            handshake::state::failed);
  EXPECT_THAT(greets.failure().message(), HasSubstr("'slave'"));
}

TEST(handshake, a_database_that_is_not_there_is_named) {
  handshake greets{{.address = "db:6379", .database = 99}};
  EXPECT_EQ(answer(greets, {hello_ok, "-ERR DB index is out of range\r\n"}), handshake::state::refused);
  EXPECT_THAT(greets.failure().message(), HasSubstr("SELECT 99"));
}

TEST(handshake, no_message_holds_the_password) {
  handshake greets{{.address = "db:6379", .user = "ada", .password = "secret"}};
  answer(greets, {"-WRONGPASS invalid\r\n"});
  EXPECT_THAT(greets.failure().message(), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace seawall::redis
