// The client behind sentinels that say what a test wants.
#include "sentinel_support.hpp"
#include "servers/ports.hpp"

namespace seawall::redis {
namespace {

using servers::redis_server;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class redis_scripted_sentinel : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    a_ = redis_server::launch();
    b_ = redis_server::launch();
    a_->wait_ready();
    b_->wait_ready();
  }

  std::unique_ptr<redis_server> a_, b_;
};

struct three_sentinels {
  scripted_sentinel first, second, third;

  explicit three_sentinels(std::uint16_t primary) : first(primary), second(primary), third(primary) {}
  std::string url() const { return sentinel_url({first.port(), second.port(), third.port()}); }
  void name(std::uint16_t primary, int epoch) {
    for (auto* one : {&first, &second, &third}) one->name(primary, epoch);
  }
  /// Until all are listened to, and nobody asks any more but for the periodic check.
  void wait_calm() const {
    auto last = std::chrono::steady_clock::now();
    std::size_t seen = 0;
    servers::wait_until("the client is content", [&] {
      const auto now = std::chrono::steady_clock::now();
      const std::size_t asked = first.asked() + second.asked() + third.asked();
      const bool heard = first.has_subscriber() && second.has_subscriber() && third.has_subscriber();
      if (!heard || std::exchange(seen, asked) != asked) last = now;
      return now - last > 1s;
    });
  }
};

TEST_F(redis_scripted_sentinel, one_message_of_one_sentinel_is_enough_to_look_again) {
  three_sentinels all{a_->port()};
  auto redis = sentinel_client(all.url(), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("k", "a")), true);
  all.wait_calm();
  const auto begin = std::chrono::steady_clock::now();
  all.name(b_->port(), 2);
  all.third.publish();
  servers::wait_until("writes go to the new primary", [&] {
    return redis.run(cmd::set("k", "b")) == true && b_->run({"GET", "k"}) == "b";
  });
  // The periodic check alone would take longer.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST_F(redis_scripted_sentinel, a_message_is_a_hint_and_no_proof) {
  three_sentinels all{a_->port()};
  auto redis = sentinel_client(all.url(), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("k", "a")), true);
  all.wait_calm();
  all.first.name(b_->port(), 99);
  const auto before = all.second.asked();
  all.first.publish();
  servers::wait_until("the others are asked", [&] { return all.second.asked() > before; });
  EXPECT_EQ(redis.run(cmd::set("k", "b")), true);
  EXPECT_EQ(a_->run({"GET", "k"}), "b");
}

TEST_F(redis_scripted_sentinel, a_change_without_a_message_is_found_by_the_periodic_check) {  // bug 23
  three_sentinels all{a_->port()};
  auto redis = sentinel_client(all.url(), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("k", "a")), true);
  all.wait_calm();
  all.name(b_->port(), 2);
  servers::wait_until("writes go to the new primary", [&] {
    return redis.run(cmd::set("k", "b")) == true && b_->run({"GET", "k"}) == "b";
  });
}

TEST_F(redis_scripted_sentinel, a_write_that_a_demoted_primary_refuses_goes_to_the_new_one) {  // bug 23
  three_sentinels all{a_->port()};
  auto redis = sentinel_client(all.url(), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("n", 1)), true);
  all.wait_calm();
  // As when a failover was missed: the connection lives, READONLY is the only sign.
  a_->run({"REPLICAOF", "127.0.0.1", std::to_string(b_->port())});
  all.name(b_->port(), 2);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(redis.run(cmd::incr("fresh")), 1);  // applied once, though INCR is never repeated
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_EQ(b_->run({"GET", "fresh"}), "1");
}

TEST_F(redis_scripted_sentinel, a_server_that_is_named_and_is_a_replica_gets_nothing) {
  a_->run({"REPLICAOF", "127.0.0.1", std::to_string(b_->port())});
  three_sentinels all{a_->port()};
  auto redis = sentinel_client(all.url(), {.command_timeout = 500ms});
  EXPECT_THAT(failure_of(redis.run(cmd::get("k"))),
              AllOf(HasSubstr(fmt::format("127.0.0.1:{}", a_->port())), HasSubstr("'slave'"),
                    HasSubstr(fmt::format("127.0.0.1:{}", all.first.port()))));
  EXPECT_GT(all.first.asked(), 1U);
  all.name(b_->port(), 2);
  EXPECT_EQ(redis.run(cmd::set("k", "v").with_timeout(20s)), true);
}

TEST_F(redis_scripted_sentinel, a_new_primary_that_is_none_yet_takes_nothing_from_the_old_one) {
  b_->run({"REPLICAOF", "127.0.0.1", std::to_string(a_->port())});
  three_sentinels all{a_->port()};
  auto redis = sentinel_client(all.url(), {.command_timeout = 1s});
  EXPECT_EQ(redis.run(cmd::set("k", "a").with_timeout(20s)), true);
  all.wait_calm();
  all.name(b_->port(), 2);
  const auto before = all.first.asked();
  all.first.publish();
  servers::wait_until("it was asked again and again", [&] {
    EXPECT_EQ(redis.run(cmd::set("k", "b")), true);
    return all.first.asked() > before + 3;
  });
  EXPECT_EQ(a_->run({"GET", "k"}), "b");
  b_->run({"REPLICAOF", "NO", "ONE"});
  servers::wait_until("writes go to the new primary", [&] {
    return redis.run(cmd::set("k", "c")) == true && b_->run({"GET", "k"}) == "c";
  });
}

TEST_F(redis_scripted_sentinel, what_hangs_at_the_old_primary_moves_to_the_new_one) {
  servers::tcp_proxy to_a{a_->port()};
  three_sentinels all{to_a.port()};
  auto redis = sentinel_client(all.url(), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("k", "a")), true);
  all.wait_calm();
  b_->run({"SET", "k", "b"});
  to_a.hold();
  const auto begin = std::chrono::steady_clock::now();
  const auto wait_sent = [&redis, before = redis.stats().sent_bytes](std::uint64_t bytes) {
    servers::wait_until("it is sent", [&] { return redis.stats().sent_bytes >= before + bytes; });
  };
  std::thread reads{[&] { EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "b"); }};
  wait_sent(20);
  // Not sent again, for it may have been applied.
  std::thread counts{[&] { EXPECT_THAT(failure_of(redis.run(cmd::incr("n"))), HasSubstr("may have been applied")); }};
  wait_sent(20 + 21);
  all.name(b_->port(), 2);
  all.first.publish();
  reads.join();
  counts.join();
  // Silence alone would be noticed later.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST_F(redis_scripted_sentinel, a_dead_primary_makes_the_client_ask_without_being_told) {
  three_sentinels all{a_->port()};
  auto redis = sentinel_client(all.url(), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("k", "a")), true);
  all.wait_calm();
  a_->kill();
  const auto begin = std::chrono::steady_clock::now();
  const auto before = all.first.asked();
  servers::wait_until("it was asked again and again", [&] { return all.first.asked() > before + 3; });
  all.name(b_->port(), 2);
  EXPECT_EQ(redis.run(cmd::set("k", "b")), true);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_EQ(b_->run({"GET", "k"}), "b");
}

TEST_F(redis_scripted_sentinel, an_old_primary_that_comes_back_as_one_gets_nothing_before_the_sentinels_have_spoken) {
  three_sentinels all{a_->port()};
  auto redis = sentinel_client(all.url(), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("k", "a")), true);
  all.name(b_->port(), 2);
  // It is back at once, empty, and calls itself primary.
  a_->restart();
  EXPECT_EQ(redis.run(cmd::set("k", "b")), true);
  EXPECT_EQ(b_->run({"GET", "k"}), "b");
  EXPECT_TRUE(a_->run({"GET", "k"}).is_null());
}

TEST_F(redis_scripted_sentinel, an_old_primary_that_comes_back_waits_for_the_word_of_slow_sentinels) {
  three_sentinels all{a_->port()};
  std::vector<std::unique_ptr<servers::tcp_proxy>> proxies;
  std::vector<std::uint16_t> ports;
  for (const auto* one : {&all.first, &all.second, &all.third}) {
    ports.push_back(proxies.emplace_back(std::make_unique<servers::tcp_proxy>(one->port()))->port());
  }
  auto redis = sentinel_client(sentinel_url(ports), {.client_name = "tested", .command_timeout = 20s,
                                                     .backoff = {.first = 5ms, .most = 20ms}});
  EXPECT_EQ(redis.run(cmd::set("k", "a")), true);
  all.wait_calm();
  for (auto& one : proxies) one->hold(servers::direction::to_client);
  all.name(b_->port(), 2);
  a_->restart();
  std::thread writes{[&] { EXPECT_EQ(redis.run(cmd::set("k", "b")), true); }};
  servers::wait_until("it is connected to the old primary again", [&] {
    return a_->run({"CLIENT", "LIST"}).text.find("name=tested") != std::string::npos;
  });
  for (auto& one : proxies) one->release(servers::direction::to_client);
  writes.join();
  EXPECT_EQ(b_->run({"GET", "k"}), "b");
  EXPECT_TRUE(a_->run({"GET", "k"}).is_null());
}

TEST_F(redis_scripted_sentinel, a_split_view_is_no_answer_and_is_told_at_the_deadline) {
  three_sentinels all{a_->port()};
  all.second.name(b_->port(), 2);
  all.third.name(0, 0);
  auto redis = sentinel_client(all.url(), {.command_timeout = 300ms});
  EXPECT_THAT(failure_of(redis.run(cmd::get("k"))),
              AllOf(HasSubstr(fmt::format("127.0.0.1:{} says 127.0.0.1:{}", all.first.port(), a_->port())),
                    HasSubstr(fmt::format("127.0.0.1:{} says 127.0.0.1:{}", all.second.port(), b_->port())),
                    HasSubstr(fmt::format("127.0.0.1:{} knows no primary", all.third.port()))));
  all.third.name(a_->port(), 1);
  EXPECT_EQ(redis.run(cmd::set("k", "v").with_timeout(20s)), true);
  EXPECT_EQ(a_->run({"GET", "k"}), "v");
}

TEST_F(redis_scripted_sentinel, a_sentinel_that_asks_for_a_login_gets_that_of_the_servers) {
  auto locked = redis_server::start({.password = "secret"});
  scripted_sentinel closed{locked->port(), 1, "secret"};
  auto redis = sentinel_client(sentinel_url({closed.port()}, ":secret@"), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("k", "v")), true);
  servers::wait_until("it is listened to", [&] { return closed.has_subscriber(); });

  scripted_sentinel open{locked->port()};
  auto other = sentinel_client(sentinel_url({open.port()}, ":secret@"), {.command_timeout = 20s});
  EXPECT_EQ(other.run(cmd::set("k", "v")), true);
  servers::wait_until("it is listened to", [&] { return open.has_subscriber(); });
  for (const auto& command : open.server().received()) EXPECT_THAT(command, Not(testing::Contains("secret")));
  open.lock("secret");
  servers::wait_until("it is listened to again", [&] { return open.subscriptions() > 1; });
}

TEST_F(redis_scripted_sentinel, a_wrong_password_of_the_primary_is_an_error_at_once) {
  auto locked = redis_server::start({.password = "secret"});
  scripted_sentinel one{locked->port()};
  auto redis = sentinel_client(sentinel_url({one.port()}, ":wrong@"), {.command_timeout = 20s});
  const auto begin = std::chrono::steady_clock::now();
  for (int again = 0; again < 2; ++again) {
    EXPECT_THAT(failure_of(redis.run(cmd::get("k"))),
                AllOf(HasSubstr(fmt::format("127.0.0.1:{}", locked->port())), HasSubstr("password")));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(redis_scripted_sentinel, a_server_that_is_no_sentinel_is_recognized) {
  auto redis = sentinel_client(sentinel_url({a_->port()}), {.command_timeout = 300ms});
  EXPECT_THAT(failure_of(redis.run(cmd::get("k"))),
              AllOf(HasSubstr(fmt::format("127.0.0.1:{}", a_->port())), HasSubstr("should be a sentinel")));
}

TEST_F(redis_scripted_sentinel, what_waits_for_a_primary_ends_when_the_client_closes) {
  const auto nobody = servers::reserve_port();
  scripted_sentinel one{nobody};
  auto redis = sentinel_client(sentinel_url({one.port()}), {.command_timeout = 60s});
  std::thread waits{[&] { EXPECT_EQ(redis.run(cmd::get("k")).error(), errc::closed); }};
  servers::wait_until("it is asked", [&] { return one.asked() > 0; });
  redis.close();
  waits.join();
}

}  // namespace
}  // namespace seawall::redis
