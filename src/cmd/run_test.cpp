#include "seawall/cmd/run.hpp"

#include "seawall/cmd/keys.hpp"
#include "seawall/cmd/raw.hpp"
#include "seawall/cmd/strings.hpp"
#include "test_commands.hpp"

namespace seawall::cmd {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

struct Run : testing::Test {
  scripted_target redis;

  void answers(std::string_view reply) { redis.replies += frame(reply); }
};

TEST_F(Run, ACommandHasItsResult) {
  answers("$1 v");
  EXPECT_EQ(run(redis, get("k")).value(), "v");
  EXPECT_EQ(redis.sent, (lines{"GET k"}));
}

TEST_F(Run, AnErrorOfTheServerIsTheResult) {
  redis.replies = "-WRONGTYPE Operation against a key\r\n";
  const auto given = run(redis, get("k"));
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().code(), errc::wrong_type);
  EXPECT_EQ(given.error().message(), "WRONGTYPE Operation against a key");
}

TEST_F(Run, AFailureOfTheTargetIsTheResult) {
  redis.failure = error{make_error_code(errc::connection_lost), "gone"};
  const auto given = run(redis, get("k"));
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().code(), errc::connection_lost);
  EXPECT_EQ(given.error().message(), "gone");
}

TEST_F(Run, AnInvalidCommandIsNotSent) {
  const auto given = run(redis, set("k", "v", {.ex = -1s}));
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error(), seawall::errc::invalid_argument);
  EXPECT_EQ(given.error().message(), "SET: the time to live must be positive");
  EXPECT_TRUE(redis.sent.empty());
}

TEST_F(Run, APipelineIsOnePiece) {
  answers(":1");
  answers("$1 v");
  answers("-ERR");
  const auto [hits, value, bad] = run(redis, incr("hits"), get("k"), del("x"));
  EXPECT_EQ(redis.sent, (lines{"INCR hits; GET k; DEL x"}));
  EXPECT_EQ(hits.value(), 1);
  EXPECT_EQ(value.value(), "v");
  EXPECT_EQ(bad.error().code(), errc::server);
}

TEST_F(Run, AnInvalidCommandOfAPipelineFailsAlone) {
  answers("$1 v");
  const auto [bad, value] = run(redis, expire("k", -1s), get("k"));
  EXPECT_EQ(redis.sent, (lines{"GET k"}));
  EXPECT_EQ(bad.error(), seawall::errc::invalid_argument);
  EXPECT_EQ(value.value(), "v");
}

TEST_F(Run, AListIsOnePieceInOrder) {
  std::vector<command<std::int64_t>> what;
  for (const char* key : {"a", "b", "c"}) what.push_back(incr(key));
  answers(":1");
  answers(":2");
  answers(":3");
  const auto given = run(redis, what);
  EXPECT_EQ(redis.sent, (lines{"INCR a; INCR b; INCR c"}));
  ASSERT_EQ(given.size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(given[static_cast<std::size_t>(i)].value(), i + 1);
  EXPECT_TRUE(run(redis, std::vector<command<std::int64_t>>{}).empty());
  EXPECT_EQ(redis.sent.size(), 1U);
}

TEST_F(Run, ACommandNamesItsTimeout) {
  answers("$1 v");
  answers("$1 v");
  (void)run(redis, get("k"));
  (void)run(redis, get("k").with_timeout(5ms));
  EXPECT_EQ(redis.timeouts, (std::vector<duration>{0ms, 5ms}));
}

TEST_F(Run, ATransactionIsOneRequest) {
  answers("+OK");
  answers("+QUEUED");
  answers("+QUEUED");
  answers("*2 +OK :3");
  const auto done = transaction(redis, set("a", 1), incr("b"));
  EXPECT_EQ(redis.sent, (lines{"MULTI; SET a 1; INCR b; EXEC"}));
  ASSERT_TRUE(done);
  EXPECT_TRUE(std::get<0>(*done).value());
  EXPECT_EQ(std::get<1>(*done).value(), 3);
  EXPECT_EQ(redis.asked[0].effect, effect::write_once);
  EXPECT_EQ(redis.asked[0].first_key, 1);
  EXPECT_FALSE(redis.asked[0].connection_state);
}

TEST_F(Run, AnErrorInsideATransactionIsItsCommands) {
  answers("+OK");
  answers("+QUEUED");
  answers("+QUEUED");
  answers("*2 -WRONGTYPE :3");
  const auto done = transaction(redis, incr("a"), incr("b"));
  ASSERT_TRUE(done);
  EXPECT_EQ(std::get<0>(*done).error().code(), errc::wrong_type);
  EXPECT_EQ(std::get<1>(*done).value(), 3);
}

TEST_F(Run, ARefusedCommandOfATransactionIsTheError) {
  answers("+OK");
  answers("+QUEUED");
  answers("-OOM");
  answers("-EXECABORT");
  const auto done = transaction(redis, get("a"), incr("b"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), errc::out_of_memory);
  EXPECT_EQ(done.error().message(), "command 2 of the transaction, INCR, was refused: OOM");
}

TEST_F(Run, AWatchedKeyThatChangedHasItsOwnError) {
  for (const char* null : {"*-1", "_"}) {
    answers("+OK");
    answers("+QUEUED");
    answers(null);
    const auto done = transaction(redis, incr("b"));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), errc::watch_failed);
  }
}

TEST_F(Run, ATransactionOverAList) {
  std::vector<command<std::int64_t>> what;
  for (const char* key : {"a", "b"}) what.push_back(incr(key));
  answers("+OK");
  answers("+QUEUED");
  answers("+QUEUED");
  answers("*2 :1 :2");
  const auto done = transaction(redis, what);
  ASSERT_TRUE(done);
  EXPECT_EQ((*done)[1].value(), 2);
  EXPECT_TRUE(transaction(redis, std::vector<command<std::int64_t>>{}).value().empty());
}

TEST_F(Run, AnInvalidCommandStopsATransaction) {
  const auto done = transaction(redis, incr("a"), expire("k", 0s));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), seawall::errc::invalid_argument);
  EXPECT_TRUE(redis.sent.empty());
}

TEST_F(Run, ATransactionIsRoutedByItsFirstKey) {
  redis.hold = true;
  const auto ping = raw("PING");
  const auto hit = incr("b");
  detail::transaction_tuple<detail::blocking_transaction, resp::value, std::int64_t> asked;
  ASSERT_TRUE(asked.prepare(ping, hit));
  EXPECT_EQ(spelled(asked.bytes.substr(asked.keyed_at)), "INCR b; EXEC");
  EXPECT_EQ(asked.replies, 4U);
}

TEST_F(Run, ARepeatedTransactionForgetsItsFirstAttempt) {
  const auto hit = incr("b");
  detail::transaction_tuple<detail::blocking_transaction, std::int64_t> asked;
  ASSERT_TRUE(asked.prepare(hit));
  const auto reply = [&](std::size_t index, std::string_view text) {
    const std::string bytes = frame(text);
    asked.on_reply(index, resp::view{bytes});
  };
  reply(0, "+OK");
  reply(1, "-MOVED");
  reply(2, "-EXECABORT");
  reply(0, "+OK");
  reply(1, "+QUEUED");
  reply(2, "*1 :4");
  asked.on_end(nullptr);
  EXPECT_EQ(std::get<0>(asked.take().value()).value(), 4);
}

}  // namespace
}  // namespace seawall::cmd
