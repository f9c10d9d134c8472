// CLIENT TRACKING: invalidations in the order of the wire, and every loss of certainty.
#include "client_support.hpp"

#include <algorithm>
#include <future>
#include <mutex>
#include <vector>

namespace seawall::redis {
namespace {

using servers::redis_server;
using testing::ElementsAre;

// Writes down what it hears; replies are written down among it by `noted`.
class noting_listener final : public tracking_listener {
 public:
  void on_tracking(std::uint64_t generation) override { note("tracking " + std::to_string(generation)); }
  void on_invalidate(std::uint64_t, std::string_view key) override { note("invalidate " + std::string{key}); }
  void on_loss(std::uint64_t, tracking_loss why, std::uint16_t) override {
    note(why == tracking_loss::flushed        ? "flushed"
         : why == tracking_loss::disconnected ? "disconnected"
                                              : "slot moved");
  }
  void on_alive(std::uint64_t) override { note("alive"); }

  void note(std::string what) {
    const std::lock_guard lock{mutex_};
    heard_.push_back(std::move(what));
  }
  std::vector<std::string> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(heard_, {});
  }
  bool has(std::string_view what) {
    const std::lock_guard lock{mutex_};
    return std::find(heard_.begin(), heard_.end(), what) != heard_.end();
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> heard_;
};

// A GET whose answer is noted in the order in which the client's thread hands it out.
void noted(client& redis, noting_listener& to, const std::string& key) {
  std::promise<void> done;
  redis.async_run(cmd::get(key), [&](const auto& read) {
    to.note("read " + text_of(read));
    done.set_value();
  });
  done.get_future().get();
}

class redis_tracking : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    server = redis_server::start();
  }

  std::unique_ptr<redis_server> server;
  std::shared_ptr<noting_listener> heard = std::make_shared<noting_listener>();
};

TEST_F(redis_tracking, a_change_by_others_is_told) {
  auto redis = client_of(server->port(), {.tracking = heard});
  noted(redis, *heard, "k");
  EXPECT_THAT(heard->take(), ElementsAre("tracking 1", "read (nil)"));
  server->run({"SET", "k", "new"});
  servers::wait_until("the invalidation comes", [&] { return heard->has("invalidate k"); });
  server->run({"SET", "k", "newer"});  // one message for each read, not for each write
  noted(redis, *heard, "k");
  EXPECT_THAT(heard->take(), ElementsAre("invalidate k", "read newer"));
}

TEST_F(redis_tracking, broadcast_tells_of_keys_that_nobody_has_read) {
  class choosy final : public tracking_listener {
   public:
    explicit choosy(std::shared_ptr<noting_listener> to) : to_(std::move(to)) {}
    std::vector<std::string> prefixes() override { return {"a:", "b"}; }
    void on_tracking(std::uint64_t generation) override { to_->on_tracking(generation); }
    void on_invalidate(std::uint64_t generation, std::string_view key) override { to_->on_invalidate(generation, key); }
    void on_loss(std::uint64_t generation, tracking_loss why, std::uint16_t slot) override {
      to_->on_loss(generation, why, slot);
    }

   private:
    const std::shared_ptr<noting_listener> to_;
  };
  const auto some = std::make_shared<choosy>(heard);
  auto redis = client_of(server->port(), {.tracking = some, .tracking_mode = tracking_mode::broadcast});
  noted(redis, *heard, "c");
  for (const char* key : {"a", "a:1", "c", "b2", "a:1", "a:end"}) server->run({"SET", key, "v"});
  servers::wait_until("the last comes", [&] { return heard->has("invalidate a:end"); });
  EXPECT_THAT(heard->take(), ElementsAre("tracking 1", "read (nil)", "invalidate a:1", "invalidate b2",
                                         "invalidate a:1", "invalidate a:end"));
  server->restart();
  noted(redis, *heard, "c");
  server->run({"SET", "a:2", "v"});
  servers::wait_until("a new connection asks for the same", [&] { return heard->has("invalidate a:2"); });
}

TEST_F(redis_tracking, connections_alone_are_told_without_tracking) {
  auto redis = client_of(server->port(), {.tracking = heard, .tracking_mode = tracking_mode::connections});
  noted(redis, *heard, "k");
  server->run({"SET", "k", "new"});
  noted(redis, *heard, "k");
  EXPECT_THAT(heard->take(), ElementsAre("tracking 1", "read (nil)", "read new"));
  EXPECT_EQ(server->info("tracking_clients"), "0");
  server->kill();
  servers::wait_until("its end is told", [&] { return heard->has("disconnected"); });
}

TEST_F(redis_tracking, the_reply_to_an_own_write_comes_before_its_invalidation) {  // bug 8
  auto redis = client_of(server->port(), {.tracking = heard});
  noted(redis, *heard, "k");
  std::promise<void> done;
  redis.async_run(cmd::set("k", "mine"), [&](const auto&) {
    heard->note("written");
    done.set_value();
  });
  done.get_future().get();
  servers::wait_until("the invalidation comes", [&] { return heard->has("invalidate k"); });
  EXPECT_THAT(heard->take(), ElementsAre("tracking 1", "read (nil)", "written", "invalidate k"));
}

TEST_F(redis_tracking, a_flush_is_a_loss) {
  auto redis = client_of(server->port(), {.tracking = heard});
  noted(redis, *heard, "k");
  server->run({"FLUSHALL"});
  servers::wait_until("the loss is told", [&] { return heard->has("flushed"); });
}

TEST_F(redis_tracking, a_lost_connection_is_a_loss_and_the_next_one_has_a_new_generation) {  // bug 4
  auto redis = client_of(server->port(), {.command_timeout = 20s, .tracking = heard});
  noted(redis, *heard, "k");
  heard->take();
  server->restart();
  noted(redis, *heard, "k");
  EXPECT_THAT(heard->take(), ElementsAre("disconnected", "tracking 2", "read (nil)"));
}

TEST_F(redis_tracking, ping_proves_that_nothing_is_outstanding) {
  auto redis = client_of(server->port(), {.health_interval = 30ms, .tracking = heard});
  noted(redis, *heard, "k");
  servers::wait_until("a PING is answered", [&] { return heard->has("alive"); });
}

TEST_F(redis_tracking, closing_is_a_loss) {
  auto redis = client_of(server->port(), {.tracking = heard});
  noted(redis, *heard, "k");
  redis.close();
  EXPECT_TRUE(heard->has("disconnected"));
}

// A server that answers a GET and something else in one write.
std::vector<std::string> heard_after_get(std::string_view then) {
  auto heard = std::make_shared<noting_listener>();
  servers::fake_server server{[then, healthy = servers::answers::redis()](servers::fake_connection& on,
                                                                          const servers::arguments& command) {
    if (command.at(0) == "GET") return "$3\r\nold\r\n" + std::string{then};
    if (command.at(0) == "CLIENT" && command.at(1) == "TRACKING") return std::string{"+OK\r\n"};
    return healthy(on, command);
  }};
  auto redis = client_of(server.port(), {.tracking = heard});
  noted(redis, *heard, "k");
  redis.run(cmd::raw("PING"));
  auto all = heard->take();
  all.erase(all.begin());
  return all;
}

TEST(redis_tracking_order, an_invalidation_behind_a_reply_is_told_behind_it) {  // bug 2
  EXPECT_THAT(heard_after_get(">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n"), ElementsAre("read old", "invalidate k"));
}

TEST(redis_tracking_order, a_null_invalidation_behind_a_reply_is_told_behind_it) {  // bug 3
  EXPECT_THAT(heard_after_get(">2\r\n+invalidate\r\n_\r\n"), ElementsAre("read old", "flushed"));
}

TEST(redis_tracking_order, an_invalidation_of_many_keys_is_told_one_by_one) {
  EXPECT_THAT(heard_after_get(">2\r\n+invalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
              ElementsAre("read old", "invalidate a", "invalidate b"));
}

}  // namespace
}  // namespace seawall::redis
