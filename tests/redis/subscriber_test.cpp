// Subscriptions at one server: what is handed out, what is told when it is lost, and how they end.
#include "seawall/cmd/pubsub.hpp"
#include "subscriber_support.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <thread>

namespace seawall::redis {
namespace {

namespace asio = boost::asio;
using servers::direction;
using servers::fake_server;
using servers::redis_server;
using servers::tcp_proxy;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace answers = servers::answers;

class redis_subscription : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    server = redis_server::start();
    proxy = std::make_unique<tcp_proxy>(server->port());
  }

  client direct(options how = {}) { return client_of(server->port(), std::move(how)); }
  client proxied(options how = {}) { return client_of(proxy->port(), std::move(how)); }
  subscription subscribe(client& redis, const topics& what) {
    auto made = redis.subscribe(what, log.handler(), log.options());
    if (!made) throw std::runtime_error(made.error().message());
    return *std::move(made);
  }
  void wait_active(const subscription& those) {
    servers::wait_until("the subscription is active", [&] { return those.active().has_value(); });
  }
  int publish(const std::string& channel, const std::string& payload) {
    return std::stoi(server->run({"PUBLISH", channel, payload}).text);
  }

  listener_log log;
  std::unique_ptr<redis_server> server;
  std::unique_ptr<tcp_proxy> proxy;
};

TEST_F(redis_subscription, hands_out_what_is_published_by_name_by_pattern_and_sharded) {
  auto redis = direct();
  const auto news = subscribe(redis, {.channels = {"news"}, .patterns = {"user:*"}, .sharded = {"orders:42"}});
  EXPECT_TRUE(news.active());
  EXPECT_EQ(redis.run(cmd::publish("news", "a")), 1);
  EXPECT_EQ(redis.run(cmd::publish("user:7", "b")), 1);
  EXPECT_EQ(redis.run(cmd::spublish("orders:42", "c")), 1);
  EXPECT_EQ(redis.run(cmd::publish("orders:42", "not sharded")), 0);
  EXPECT_THAT(log.wait_for(3), ElementsAre("news=a", "user:*:user:7=b", "orders:42=c"));
}

TEST_F(redis_subscription, a_channel_and_a_pattern_that_matches_it_give_two_messages) {
  auto redis = direct();
  const auto news = subscribe(redis, {.channels = {"news", "news"}, .patterns = {"n*"}});
  EXPECT_EQ(publish("news", "a"), 2);
  EXPECT_THAT(log.wait_for(2), ElementsAre("news=a", "n*:news=a"));
}

TEST_F(redis_subscription, names_and_payloads_are_any_bytes) {
  auto redis = direct();
  const std::string odd{"\0\r\n$5\r\n>3\xff", 11};
  const auto news = subscribe(redis, {.channels = {odd}});
  EXPECT_EQ(redis.run(cmd::publish(odd, odd)), 1);
  EXPECT_EQ(redis.run(cmd::publish(odd, "")), 1);
  EXPECT_EQ(redis.run(cmd::publish(odd, std::string(3'000'000, 'x'))), 1);
  EXPECT_THAT(log.wait_for(3), ElementsAre(odd + "=" + odd, odd + "=", odd + "=" + std::string(3'000'000, 'x')));
}

TEST_F(redis_subscription, ten_thousand_messages_come_in_order_while_commands_run) {
  auto redis = direct();
  const auto news = subscribe(redis, {.channels = {"n"}});
  std::vector<std::string> expected;
  for (int i = 0; i < 10'000; i += 100) {
    std::vector<cmd::command<std::int64_t>> some;
    for (int k = i; k < i + 100; ++k) {
      some.push_back(cmd::publish("n", std::to_string(k)));
      expected.push_back("n=" + std::to_string(k));
    }
    for (const auto& heard : redis.run(some)) ASSERT_EQ(heard, 1);
    EXPECT_EQ(redis.run(cmd::set("k", i)), true);
    EXPECT_EQ(text_of(redis.run(cmd::get("k"))), std::to_string(i));
  }
  EXPECT_EQ(log.wait_for(10'000), expected);
}

TEST_F(redis_subscription, topics_come_and_go) {
  auto redis = direct();
  auto news = subscribe(redis, {.channels = {"a"}});
  ASSERT_TRUE(news.add({.channels = {"b"}, .patterns = {"c*"}}));
  EXPECT_EQ(publish("b", "1"), 1);
  EXPECT_EQ(publish("c1", "2"), 1);
  log.wait_for("c*:c1=2");
  ASSERT_TRUE(news.remove({.channels = {"a", "never"}, .patterns = {"c*"}}));
  servers::wait_until("the server knows", [&] { return publish("a", "3") == 0 && publish("c1", "3") == 0; });
  EXPECT_EQ(publish("b", "4"), 1);
  log.wait_for("b=4");
  EXPECT_THAT(log.lines(), ElementsAre("b=1", "c*:c1=2", "b=4"));
}

TEST_F(redis_subscription, many_topics_at_once) {
  auto redis = direct({.command_timeout = 20s});
  topics many;
  for (int i = 0; i < 2'000; ++i) many.channels.push_back("c" + std::to_string(i));
  auto news = subscribe(redis, many);
  EXPECT_EQ(publish("c0", "x") + publish("c1999", "x"), 2);
  ASSERT_TRUE(news.remove(many));
  servers::wait_until("no topic is left", [&] { return publish("c0", "y") + publish("c1999", "y") == 0; });
  ASSERT_TRUE(news.add({.channels = {"c7"}}));
  EXPECT_EQ(publish("c7", "z"), 1);
  log.wait_for("c7=z");
}

TEST_F(redis_subscription, its_end_unsubscribes) {
  auto redis = direct();
  {
    const auto news = subscribe(redis, {.channels = {"a"}});
    EXPECT_EQ(publish("a", "1"), 1);
    log.wait_for("a=1");
  }
  servers::wait_until("the server knows", [&] { return publish("a", "2") == 0; });
  EXPECT_THAT(log.lines(), ElementsAre("a=1"));
}

TEST_F(redis_subscription, no_handler_runs_after_its_end) {
  auto redis = direct();
  auto publisher = client_of(server->port());
  std::atomic<bool> stop{false};
  std::jthread noise{[&] {
    while (!stop) publisher.run(cmd::publish("a", "x"));
  }};
  for (int round = 0; round < 50; ++round) {
    auto seen = std::make_unique<std::atomic<int>>(0);
    auto news = redis.subscribe({.channels = {"a"}}, [&](const message&) { ++*seen; });
    ASSERT_TRUE(news);
    servers::wait_until("a message", [&] { return *seen > 0; });
    { const auto ended = *std::move(news); }
    seen.reset();
  }
  stop = true;
}

TEST_F(redis_subscription, a_handler_may_end_its_subscription) {
  auto redis = direct();
  std::optional<subscription> news;
  std::atomic<int> calls{0};
  std::atomic<bool> ready{false}, ended{false};
  news = *redis.subscribe({.channels = {"a"}}, [&](const message&) {
    servers::wait_until("the test is ready", [&] { return ready.load(); });
    ++calls;
    news.reset();
    ended = true;
  });
  EXPECT_EQ(redis.run(cmd::publish("a", "1"), cmd::publish("a", "2")), (std::tuple{1, 1}));
  ready = true;
  servers::wait_until("the handler has ended it", [&] { return ended.load(); });
  servers::wait_until("the server knows", [&] { return publish("a", "3") == 0; });
  EXPECT_EQ(calls, 1);
}

TEST_F(redis_subscription, a_handler_may_add_and_remove_topics) {
  auto redis = direct();
  std::optional<subscription> news;
  std::atomic<bool> ready{false};
  news = *redis.subscribe({.channels = {"a"}}, [&](const message& m) {
    servers::wait_until("the test is ready", [&] { return ready.load(); });
    log.add(std::string{m.channel});
    if (m.channel != "a") return;
    EXPECT_TRUE(news->add({.channels = {"b"}}));
    EXPECT_TRUE(news->remove({.channels = {"a"}}));
  });
  ready = true;
  EXPECT_EQ(publish("a", "1"), 1);
  servers::wait_until("the server knows", [&] { return publish("b", "2") == 1 && publish("a", "3") == 0; });
  log.wait_for("b");
  EXPECT_EQ(log.count("a"), 1U);
}

TEST_F(redis_subscription, an_exception_of_the_handler_is_logged_and_the_next_message_comes) {
  std::atomic<int> logged{0};
  auto redis = direct({.log = [&](log_level, std::string_view text) {
    if (text.find("out of luck") != text.npos) ++logged;
  }});
  std::atomic<int> calls{0};
  const auto news = redis.subscribe({.channels = {"a"}}, [&](const message&) {
    if (++calls == 1) throw std::runtime_error{"out of luck"};
  });
  ASSERT_TRUE(news);
  publish("a", "1");
  publish("a", "2");
  servers::wait_until("both messages", [&] { return calls == 2; });
  EXPECT_EQ(logged, 1);
}

TEST_F(redis_subscription, a_restarted_server_is_subscribed_to_again_and_the_gap_is_told_first) {
  auto redis = direct();
  const auto news = subscribe(redis, {.channels = {"a"}, .patterns = {"b*"}, .sharded = {"c"}});
  publish("a", "1");
  log.wait_for("a=1");
  server->kill();
  servers::wait_until("the loss is noticed", [&] { return !news.active(); });
  EXPECT_THAT(news.active().error().message(), HasSubstr("127.0.0.1"));
  server->restart();
  wait_active(news);
  publish("a", "2");
  log.wait_for("a=2");
  const auto lines = log.lines();
  EXPECT_THAT(lines, testing::UnorderedElementsAre("a=1", "gap a", "gap b*", "gap c", "a=2"));
  EXPECT_LT(std::ranges::find(lines, "gap a"), std::ranges::find(lines, "a=2"));
}

TEST_F(redis_subscription, each_cut_of_the_network_is_one_gap) {
  auto redis = proxied();
  const auto news = subscribe(redis, {.channels = {"a"}});
  for (std::size_t cut = 1; cut <= 3; ++cut) {
    proxy->reset();
    log.wait_for("gap a", cut);
    EXPECT_EQ(publish("a", std::to_string(cut)), 1);
    log.wait_for("a=" + std::to_string(cut));
  }
  EXPECT_THAT(log.lines(), ElementsAre("gap a", "a=1", "gap a", "a=2", "gap a", "a=3"));
}

TEST_F(redis_subscription, a_dead_peer_is_noticed_though_nothing_is_published) {
  auto redis = proxied({.health_interval = 50ms});
  const auto news = subscribe(redis, {.channels = {"a"}});
  proxy->drop();
  servers::wait_until("the loss is noticed", [&] { return !news.active(); });
  proxy->release();
  log.wait_for("gap a");
}

TEST_F(redis_subscription, a_server_that_accepts_and_says_nothing_is_tried_again) {
  proxy->hold(direction::to_client);
  auto redis = proxied({.connect_timeout = 50ms, .health_interval = 10min});
  auto news = std::async(std::launch::async,
                         [&] { return redis.subscribe({.channels = {"a"}}, log.handler(), log.options()); });
  servers::wait_until("several attempts", [&] { return proxy->accepted() >= 3; });
  proxy->release();
  EXPECT_TRUE(news.get());
}

TEST_F(redis_subscription, a_confirmation_that_stays_away_is_an_error_by_its_deadline) {
  auto redis = proxied({.connect_timeout = 20s});
  auto news = subscribe(redis, {.channels = {"a"}});
  proxy->hold(direction::to_client);
  const auto late = redis.subscribe({.channels = {"b"}}, log.handler(), log.options(50ms));
  EXPECT_EQ(late.error(), errc::timed_out);
  proxy->release();
  EXPECT_TRUE(news.active());
}

TEST_F(redis_subscription, a_refusal_is_told_and_leaves_the_others_alone) {
  server->run({"ACL", "SETUSER", "ada", "on", ">pw", "resetchannels", "&open:*", "+@all", "~*"});
  auto redis = direct({.user = "ada", .password = "pw"});
  auto news = subscribe(redis, {.channels = {"open:1"}});
  const auto refused = news.add({.channels = {"open:2", "secret", "open:3"}});
  EXPECT_EQ(refused.error().code(), cmd::errc::no_permission);
  EXPECT_THAT(failure_of(refused), HasSubstr("secret"));
  EXPECT_TRUE(news.active());
  EXPECT_EQ(publish("open:1", "1"), 1);
  servers::wait_until("the server knows", [&] { return publish("open:2", "2") + publish("open:3", "2") == 0; });
  log.wait_for("open:1=1");
  EXPECT_EQ(log.count("gap open:1"), 0U);
}

TEST_F(redis_subscription, a_wrong_password_is_an_error_at_once) {
  auto redis = direct({.user = "nobody", .password = "wrong"});
  const auto news = redis.subscribe({.channels = {"a"}}, log.handler(), log.options());
  EXPECT_EQ(news.error().code(), cmd::errc::wrong_pass);
}

TEST_F(redis_subscription, the_client_s_end_ends_it) {
  auto redis = direct();
  auto news = subscribe(redis, {.channels = {"a"}});
  redis.close();
  servers::wait_until("the server knows", [&] { return publish("a", "1") == 0; });
  EXPECT_EQ(news.active().error(), errc::closed);
  EXPECT_EQ(news.add({.channels = {"b"}}).error(), errc::closed);
  EXPECT_TRUE(news.remove({.channels = {"a"}}));
  EXPECT_EQ(redis.subscribe({.channels = {"a"}}, log.handler()).error(), errc::closed);
}

TEST_F(redis_subscription, it_may_outlive_all_handles_of_its_client) {
  std::optional<subscription> news;
  {
    auto redis = direct();
    news = subscribe(redis, {.channels = {"a"}});
  }
  EXPECT_EQ(news->active().error(), errc::closed);
}

TEST_F(redis_subscription, runs_on_the_user_s_executor) {
  asio::io_context context;
  auto work = asio::make_work_guard(context);
  std::jthread thread{[&] { context.run(); }};
  {
    auto redis = direct({.executor = context.get_executor()});
    std::atomic<std::thread::id> where{};
    const auto news = redis.subscribe({.channels = {"a"}}, [&](const message&) { where = std::this_thread::get_id(); });
    ASSERT_TRUE(news);
    publish("a", "1");
    servers::wait_until("a message", [&] { return where.load() == thread.get_id(); });
  }
  work.reset();
}

TEST_F(redis_subscription, on_the_client_s_executor_nothing_waits) {
  asio::io_context context;
  auto work = asio::make_work_guard(context);
  std::jthread thread{[&] { context.run(); }};
  const asio::any_io_executor own{};
  for (const auto& runs_on : {own, asio::any_io_executor{context.get_executor()}}) {
    auto redis = direct({.executor = runs_on});
    std::optional<result<subscription>> news;
    std::atomic<bool> made{false};
    asio::post(redis.get_executor(), [&] {
      news = redis.subscribe({.channels = {"a"}}, log.handler());
      made = true;
    });
    servers::wait_until("the call has returned", [&] { return made.load(); });
    ASSERT_TRUE(*news);
    wait_active(**news);
    EXPECT_EQ(publish("a", "1"), 1);
  }
  work.reset();
}

TEST(redis_subscription_input, what_is_wrong_is_named) {
  auto redis = client_of(1);
  const auto nothing = [](const message&) {};
  EXPECT_THAT(failure_of(redis.subscribe({}, nothing)), HasSubstr("channels, patterns and sharded are empty"));
  EXPECT_THAT(failure_of(redis.subscribe({.patterns = {"a", ""}}, nothing)), HasSubstr("patterns: a name of 0 bytes"));
  EXPECT_THAT(failure_of(redis.subscribe({.sharded = {std::string(65536, 'x')}}, nothing)), HasSubstr("sharded"));
  EXPECT_THAT(failure_of(redis.subscribe({.channels = std::vector<std::string>(16385, "a")}, nothing)),
              HasSubstr("at most 16384"));
  EXPECT_THAT(failure_of(redis.subscribe({.channels = {"a"}}, nullptr)), HasSubstr("handler"));
  EXPECT_EQ(redis.subscribe({.channels = {"a"}}, nothing, {.timeout = -1s}).error(), errc::invalid_argument);
}

TEST(redis_subscription_input, an_absent_server_is_named_with_the_cause) {
  const auto port = servers::reserve_port();
  auto redis = client_of(port);
  const auto news = redis.subscribe({.channels = {"a"}}, [](const message&) {}, {.timeout = 100ms});
  EXPECT_EQ(news.error(), errc::timed_out);
  EXPECT_THAT(failure_of(news), AllOf(HasSubstr("127.0.0.1:" + std::to_string(port)), HasSubstr("refused")));
}

}  // namespace
}  // namespace seawall::redis
