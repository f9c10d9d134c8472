// Trap 25: a queue of writes that is emptied before the database has them, and two that empty it.
#include "shared_usual.hpp"
#include "source/redis_write_support.hpp"

#include <atomic>
#include <latch>

namespace {

using namespace usual;
using seawall::redis_write_test::engine_of;
using seawall::redis_write_test::options_at;
using seawall::redis_write_test::put;
using seawall::redis_write_test::table;
using seawall::servers::tcp_proxy;

/// A list as the queue of what is to be written: RPUSH acknowledges, whoever runs LPOP writes to the database.
class Trap25Shared : public SharedTrap {
 protected:
  void usual_put(const std::string& row) { client().run({"RPUSH", "writes", row}); }
  /// What a drainer has taken and not written yet.
  std::optional<std::string> usual_take() {
    auto taken = client().run({"LPOP", "writes"});
    return taken.is_null() ? std::nullopt : std::optional{taken.text};
  }
  void usual_write(const std::string& row) { db.write("key", row); }

  /// A process that puts and drains with a short lease, so that another one goes on soon.
  static seawall::source::engine_options process_at(std::uint16_t port) {
    auto how = options_at(port);
    how.redis.lease = 200ms;
    return how;
  }

  table rows;
};

TEST_F(Trap25Shared, ADrainerThatDiesTakesNothingAlong) {
  usual_write("old");
  usual_put("new");
  EXPECT_EQ(usual_take(), "new");  // and here its process is killed, before the database has it
  EXPECT_EQ(usual_take(), std::nullopt);
  EXPECT_EQ(db.find("key"), "old");  // for ever

  tcp_proxy link{server->port()};
  auto killed = engine_of(process_at(link.port()), rows);
  rows.block();
  ASSERT_TRUE(put(*killed, "key", "new"));
  rows.wait_blocked();  // it has taken the write, and the database does not have it yet
  link.refuse();
  link.reset();
  rows.down = true;
  rows.unblock();
  killed.reset();  // without a word to Redis, and without one to the database
  ASSERT_EQ(rows.value("key"), "");
  rows.down = false;
  const auto next = engine_of(process_at(server->port()), rows);
  rows.wait_value("key", "new");
}

TEST_F(Trap25Shared, ALateDrainerDoesNotReorderAKey) {
  usual_put("first");
  usual_put("second");
  const auto late_has = usual_take();
  usual_write(usual_take().value());  // another one, which is quicker
  usual_write(late_has.value());
  EXPECT_EQ(db.find("key"), "first");  // though "second" was acknowledged after it

  std::atomic<bool> has_first = false;
  std::atomic<bool> has_written = false;
  std::latch may_write{1};
  tcp_proxy link{server->port()};
  const auto slow_write = [&](std::span<const seawall::source::operation_ptr> batch) {
    has_first = true;
    may_write.wait();
    auto done = rows.write(batch);
    has_written = true;
    return done;
  };
  auto late = seawall::source::open_write_engine(
      process_at(link.port()), {.write = slow_write, .is_permanent = nullptr, .settled = nullptr});
  ASSERT_TRUE(late);
  ASSERT_TRUE(put(**late, "key", "first"));
  wait_until("it has taken the first write", [&] { return has_first.load(); });
  const auto quick = engine_of(process_at(server->port()), rows);
  ASSERT_TRUE(put(*quick, "key", "second"));
  link.hold();  // the late one's lease ends, and another has it
  rows.wait_value("key", "second");
  link.release();
  may_write.count_down();
  wait_until("it has written late", [&] { return has_written.load(); });
  EXPECT_EQ(rows.value("key"), "second");
}

}  // namespace
