// Write-behinds whose log is in Redis: one process, several, and one that is cut off while it drains.
#include "redis_write_support.hpp"
#include "seawall/write_behind.hpp"
#include "write_stream.hpp"

#include <functional>

namespace seawall::redis_write_test {
namespace {

using ::testing::HasSubstr;

redis_server& shared_server() {
  static const auto only = redis_server::start();
  return *only;
}

struct RedisWrites : ::testing::Test {
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    shared_server().run({"FLUSHALL"});
  }

  std::string key(const std::string& what) const {
    return std::string{"{"} + ::testing::UnitTest::GetInstance()->current_test_info()->name() + ":0}:" + what;
  }
  // Partitions whose leases it has, as an exporter's page tells.
  static std::int64_t held_by(const counter_source& from) {
    std::map<std::string_view, std::uint64_t> read;
    for (const counter_sample& one : from.counters().counters) read[one.name] = one.value;
    return static_cast<std::int64_t>(read.at("take_overs") - read.at("lost_leases"));
  }
  // The same as a gauge.
  static std::uint64_t drained_by(const counter_source& from) {
    const auto all = from.counters();
    return std::ranges::find(all.gauges, "drained_partitions", &counter_sample::name)->value;
  }
  int left() const { return std::stoi(shared_server().run({"XLEN", key("writes")}).text); }

  table rows;
};

TEST_F(RedisWrites, AreAppliedInTheirOrderAndLeaveTheStream) {
  auto engine = engine_of(options_at(shared_server().port()), rows);
  rows.down = true;
  const auto first = put(*engine, "a", "1");
  const auto second = put(*engine, "a", "2");
  ASSERT_TRUE(first) << text_of(first);
  ASSERT_TRUE(second) << text_of(second);
  ASSERT_TRUE(engine->submit(true, "b", "", 20s));
  EXPECT_GT(second->sequence, first->sequence);
  ASSERT_NE(engine->pending("a"), nullptr);
  EXPECT_EQ(engine->pending("a")->value, "2");
  EXPECT_TRUE(engine->pending("b")->removed);
  EXPECT_EQ(engine->stats().backlog, 3U);
  rows.down = false;
  ASSERT_TRUE(engine->flush(20s, nullptr));
  EXPECT_EQ(rows.at("a").version, second->sequence);
  EXPECT_EQ(rows.value("b"), "(removed)");
  EXPECT_EQ(engine->pending("a"), nullptr);
  servers::wait_until("the stream is empty", [&] { return left() == 0; });
}

TEST_F(RedisWrites, OfAProcessThatIsGoneAreAppliedByAnother) {
  tcp_proxy proxy{shared_server().port()};
  auto how = options_at(proxy.port());
  how.redis.lease = 200ms;
  auto first = engine_of(how, rows);
  rows.down = true;
  const auto last = put(*first, "a", "1");
  ASSERT_TRUE(last) << text_of(last);
  proxy.refuse();
  proxy.reset();
  first.reset();  // without a word to Redis
  EXPECT_EQ(left(), 1);
  rows.down = false;
  auto direct = options_at(shared_server().port());
  direct.redis.lease = 200ms;
  auto second = engine_of(direct, rows);
  rows.wait_value("a", "1");
  EXPECT_EQ(rows.at("a").version, last->sequence);
  const auto newer = put(*second, "a", "2");
  ASSERT_TRUE(newer) << text_of(newer);
  EXPECT_GT(newer->sequence, last->sequence);
}

TEST_F(RedisWrites, OfTwoProcessesHaveOneOrder) {
  auto one = engine_of(options_at(shared_server().port()), rows);
  wait_drains(*one);
  auto other = engine_of(options_at(shared_server().port()), rows);
  std::uint64_t last = 0;
  for (int i = 0; i != 100; ++i) {
    const auto done = put(i % 2 == 0 ? *one : *other, "k" + std::to_string(i % 3), std::to_string(i));
    ASSERT_TRUE(done) << text_of(done);
    ASSERT_GT(done->sequence, last);
    last = done->sequence;
  }
  ASSERT_TRUE(one->flush(20s, nullptr));
  ASSERT_TRUE(other->flush(20s, nullptr)) << "it learns what the first one has applied";
  EXPECT_EQ(rows.value("k0"), "99");
  EXPECT_EQ(rows.value("k1"), "97");
  EXPECT_EQ(rows.value("k2"), "98");
  EXPECT_EQ(other->stats().applied, 0U);
  EXPECT_EQ(other->stats().drained_partitions, 0U);
  EXPECT_EQ(other->pending("k0"), nullptr);
}

TEST_F(RedisWrites, AreDrainedInPartitionsOfAllProcesses) {
  auto how = options_at(shared_server().port());
  how.redis.partitions = 3;
  auto engine = engine_of(how, rows);
  for (int i = 0; i != 30; ++i) ASSERT_TRUE(put(*engine, "k" + std::to_string(i), "1"));
  ASSERT_TRUE(engine->flush(20s, nullptr));
  EXPECT_EQ(rows.value("k29"), "1");
  EXPECT_EQ(engine->stats().drained_partitions, 3U);
  EXPECT_EQ(drained_by(*engine), 3U);
  ASSERT_TRUE(engine->close(1s));
  EXPECT_EQ(drained_by(*engine), 0U);
  auto next = engine_of(how, rows);
  servers::wait_until("what was given back is taken", [&] { return next->stats().drained_partitions == 3; });
}

TEST_F(RedisWrites, OfADrainerThatIsLateChangeNothing) {
  tcp_proxy proxy{shared_server().port()};
  auto how = options_at(proxy.port());
  how.redis.lease = 200ms;
  auto late = engine_of(how, rows);
  rows.block();
  const auto old = put(*late, "a", "old");
  ASSERT_TRUE(old) << text_of(old);
  rows.wait_blocked();
  proxy.hold();  // its lease ends while it writes
  auto direct = options_at(shared_server().port());
  direct.redis.lease = 200ms;
  table others;
  auto next = engine_of(direct, others);
  ASSERT_TRUE(put(*next, "a", "new"));
  others.wait_value("a", "new");
  proxy.release();
  rows.unblock();
  servers::wait_until("it knows", [&] { return late->stats().lost_leases != 0; });
  rows.wait_value("a", "old");
  EXPECT_GT(others.fences().front(), rows.fences().front());
  servers::wait_until("the stream is empty", [&] { return left() == 0; });
  ASSERT_TRUE(put(*late, "b", "1"));
  servers::wait_until("it learns that another has applied it", [&] { return late->pending("b") == nullptr; });
  servers::wait_until("the lost lease is counted once, whichever thread hears of it first",
                      [&] { return held_by(*late) + held_by(*next) == 1; });
}

TEST_F(RedisWrites, AreNotAcknowledgedUnderALeaseThatIsGone) {
  const auto how = options_at(shared_server().port()).redis;
  source::write_stream one{how, false, "one"};
  source::write_stream two{how, false, "two"};
  const std::vector<source::staged_write> writes{{.key = "a", .value = "1"}, {.removed = true, .key = "b"}};
  const auto ids = one.append(writes);
  ASSERT_TRUE(ids[0]) << text_of(ids[0]);
  const std::vector<std::string> none(1);
  const auto first = *one.hold(none)[0];
  EXPECT_TRUE(first.is_new_group);
  EXPECT_EQ(two.hold(none)[0]->text, "") << "while the first has it";
  const auto read = *one.read(0, first, {}, 10);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->at(0).operation->value, "1");
  EXPECT_TRUE(read->at(1).operation->removed);
  shared_server().run({"DEL", key("lease")});
  const auto second = *two.hold(none)[0];
  EXPECT_GT(second.fence, first.fence);
  EXPECT_FALSE(second.is_new_group);
  EXPECT_TRUE(one.release(0, first.text));
  EXPECT_EQ(one.hold(none)[0]->text, "") << "what it gives back is not the lease of the second";

  const std::vector<source::stream_id> both{*ids[0], *ids[1]};
  EXPECT_FALSE(*one.settle(0, first.text, both));
  EXPECT_EQ(*one.read(0, first, {}, 10), std::nullopt);
  const source::stored_letter letter{.operation = read->at(0).operation, .reason = "late"};
  EXPECT_EQ(*one.bury(0, first.text, both, letter, 9), source::write_stream::burial::lost);
  EXPECT_EQ(left(), 2);
  EXPECT_EQ((*two.read(0, second, {}, 10))->size(), 0U) << "nothing that nobody was given";
  ASSERT_EQ((*two.read(0, second, source::stream_id{}, 10))->size(), 2U);
  EXPECT_EQ((*two.read(0, second, ids[0].value(), 10))->size(), 1U);
  EXPECT_TRUE(*two.settle(0, second.text, both));
  EXPECT_EQ(left(), 0);
  EXPECT_EQ(*two.gone(0, both), (std::vector<std::size_t>{0, 1}));
}

TEST_F(RedisWrites, ThatAreRefusedAreKeptUpToTheirLimit) {
  source::write_stream stream{options_at(shared_server().port()).redis, false, "one"};
  const std::vector<source::staged_write> writes{{.key = "a", .value = "1"}, {.key = "b", .value = "1"}};
  const auto ids = stream.append(writes);
  const std::vector<std::string> none(1);
  const auto lease = *stream.hold(none)[0];
  const auto read = *stream.read(0, lease, {}, 10);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2U);
  const auto bury = [&](std::size_t which) {
    const source::stored_letter letter{.operation = read->at(which).operation, .reason = "bad"};
    const std::vector<source::stream_id> id{ids[which].value()};
    return *stream.bury(0, lease.text, id, letter, 1);
  };
  EXPECT_EQ(bury(0), source::write_stream::burial::done);
  EXPECT_EQ(bury(1), source::write_stream::burial::full);
  EXPECT_EQ(left(), 1) << "it stays in the stream";
  EXPECT_EQ(bury(0), source::write_stream::burial::done) << "that one is kept already";
}

TEST_F(RedisWrites, ThatOthersHaveAppliedAreTold) {
  auto one = engine_of(options_at(shared_server().port()), rows);
  wait_drains(*one);
  std::atomic<std::size_t> told = 0;
  auto other = *open_write_engine(
      options_at(shared_server().port()),
      {.write = [this](std::span<const operation_ptr> batch) { return rows.write(batch); },
       .is_permanent = nullptr,
       .settled = [&](std::span<const operation_ptr> operations) { told += operations.size(); }});
  ASSERT_TRUE(put(*other, "a", "1"));
  ASSERT_TRUE(other->flush(20s, nullptr));
  EXPECT_EQ(told, 1U);
  EXPECT_EQ(other->stats().applied, 0U);
}

TEST_F(RedisWrites, ThatAreRefusedAreKeptForAllProcesses) {
  auto one = engine_of(options_at(shared_server().port()), rows);
  wait_drains(*one);
  auto other = engine_of(options_at(shared_server().port()), rows);
  const auto bad = put(*one, "a", "bad");
  ASSERT_TRUE(bad) << text_of(bad);
  ASSERT_TRUE(put(*one, "b", "good"));
  ASSERT_TRUE(one->flush(20s, nullptr));
  EXPECT_EQ(rows.value("b"), "good");
  const auto letters = other->letters();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].operation->key, "a");
  EXPECT_EQ(letters[0].operation->sequence, bad->sequence);
  EXPECT_EQ(letters[0].reason, "bad value");
  EXPECT_EQ(one->stats().dead_letters, 1U);
  EXPECT_FALSE(other->replay(bad->sequence)) << "the source refuses it still";
  ASSERT_TRUE(other->discard(bad->sequence));
  EXPECT_TRUE(one->letters().empty());
  EXPECT_THAT(text_of(other->replay(bad->sequence)), HasSubstr("no dead letter has sequence"));
  servers::wait_until("the stream is empty", [&] { return left() == 0; });
}

TEST_F(RedisWrites, WaitForRoomOrForTheSource) {
  auto how = options_at(shared_server().port());
  how.most_backlog = 1;
  auto waits = engine_of(how, rows);
  rows.down = true;
  ASSERT_TRUE(put(*waits, "a", "1"));
  const auto full = put(*waits, "b", "1", 10ms);
  ASSERT_FALSE(full);
  EXPECT_TRUE(full.error() == errc::overloaded) << text_of(full);
  waits.reset();
  how.when_full = when_full::write_through;
  auto through = engine_of(how, rows);
  EXPECT_FALSE(put(*through, "c", "1")->applied);
  const auto late = put(*through, "d", "1", 50ms);
  ASSERT_FALSE(late);
  EXPECT_THAT(text_of(late), HasSubstr("it is kept, and tried again"));
  rows.down = false;
  const auto done = put(*through, "d", "2");
  ASSERT_TRUE(done) << text_of(done);
  rows.wait_value("d", "2");
}

TEST_F(RedisWrites, KnowWhatTheyAreToldToBe) {
  const auto good = options_at(shared_server().port());
  using change = std::function<void(source::engine_options&)>;
  const std::vector<std::pair<std::string, change>> table = {
      {"redis.client must be given", [](auto& how) { how.redis.client = {}; }},
      {"redis.client must be left out", [](auto& how) { how.acknowledged = acknowledged::memory; }},
      {"redis.stream must be 1 to 200 bytes", [](auto& how) { how.redis.stream = "{a}"; }},
      {"redis.partitions must be 1 to 1024", [](auto& how) { how.redis.partitions = 0; }},
      {"redis.replicas must be 1 to 100", [](auto& how) { how.redis.replicas = 0; }},
      {"redis.replica_timeout must be 1 ms", [](auto& how) { how.redis.replica_timeout = 0s; }},
      {"redis.lease must be 100 ms", [](auto& how) { how.redis.lease = 99ms; }},
      {"redis.poll must be 1 ms or more", [](auto& how) { how.redis.poll = 0s; }},
      {"log.directory must be empty", [](auto& how) { how.log.directory = "/tmp"; }},
  };
  for (const auto& [message, apply] : table) {
    auto how = good;
    apply(how);
    EXPECT_THAT(text_of(validate(how)), HasSubstr(message));
  }
  EXPECT_TRUE(validate(good)) << text_of(validate(good));
}

TEST_F(RedisWrites, TellTheFenceToTheWriter) {
  auto redis = client_at(shared_server().port());
  std::atomic<std::uint64_t> fence = 0;
  auto writes = write_behind<int, std::string>::open({
      .name = "orders",
      .write = [&](std::span<const write_operation<int, std::string>> batch) -> result<void> {
        fence = batch.front().fence;
        return {};
      },
      .acknowledged = acknowledged::redis,
      .redis = {.client = redis, .stream = "orders"},
  });
  ASSERT_TRUE(writes) << text_of(writes);
  ASSERT_TRUE(writes->put(7, "lamp"));
  ASSERT_TRUE(writes->flush(20s));
  EXPECT_EQ(std::to_string(fence), shared_server().run({"GET", "{orders:0}:fence"}).text);
}

}  // namespace
}  // namespace seawall::redis_write_test
