// Trap 7: SETEX after a read puts back what an invalidation just removed.
#include "gate.hpp"
#include "seawall/async.hpp"
#include "usual.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

namespace {

using namespace usual;
using boost::asio::awaitable;
using boost::asio::use_awaitable;

/// The usual snippet; `meanwhile` is what other threads do between its query and its SETEX.
template <class F>
std::string usual_get(scene& here, const std::string& key, F&& meanwhile) {
  if (const auto cached = here.redis.get(key)) return *cached;
  std::string value = here.db.find(key).value_or("absent");
  meanwhile();
  here.redis.setex(key, 300s, value);
  return value;
}

TEST(Trap07, RefillAfterInvalidation) {
  scene here;
  here.db.write("key", "old");
  usual_get(here, "key", [&] {
    here.db.write("key", "new");
    here.redis.del("key");
  });
  EXPECT_EQ(usual_get(here, "key", [] {}), "old");  // for five minutes

  here.db.write("key", "old");
  texts cache{here.options<std::string, std::string>({})};
  int loads = 0;
  const auto load = [&](const std::string& key) {
    auto row = here.db.find(key);
    if (++loads == 1) {
      here.db.write(key, "new");
      cache.invalidate(key);
    }
    return row;
  };
  EXPECT_EQ(word(cache.get_or_load("key", load)), "new");  // loaded again: the first answer was too old
  EXPECT_EQ(loads, 2);
  EXPECT_EQ(word(cache.get_or_load("key", load)), "new");
  EXPECT_EQ(loads, 2);
  EXPECT_EQ(cache.stats().total.superseded, 1u);
}

/// Everything that makes a value outdated cuts off the load.
TEST(Trap07, RefillAfterPutClearExpireOrAbsence) {
  using change = std::function<void(texts&)>;
  const std::pair<const char*, change> changes[] = {
      {"new", [](texts& cache) { cache.clear(); }},
      {"new", [](texts& cache) { cache.expire("key"); }},
      {"new", [](texts& cache) { cache.invalidate_many(std::vector<std::string>{"other", "key"}); }},
      {"put", [](texts& cache) { cache.put("key", "put"); }},
      {"absent", [](texts& cache) { cache.put_absent("key"); }},
  };
  for (const auto& [expected, apply] : changes) {
    scene here;
    here.db.write("key", "old");
    texts cache{here.options<std::string, std::string>({})};
    bool first = true;
    const auto load = [&](const std::string& key) {
      auto row = here.db.find(key);
      if (std::exchange(first, false)) {
        here.db.write(key, "new");
        apply(cache);
      }
      return row;
    };
    EXPECT_EQ(word(cache.get_or_load("key", load)), expected);
    EXPECT_EQ(word(cache.get_or_load("key", load)), expected);
  }
}

/// The same for a bulk load, and for a refresh in the background.
TEST(Trap07, RefillByBulkLoadAndByRefresh) {
  scene here;
  here.db.write("key", "old");
  texts cache{here.options<std::string, std::string>({.stale_for = 1h, .loader = [&](const std::string& key) {
                                                        auto row = here.db.find(key);
                                                        here.db.write(key, "new");
                                                        cache.invalidate(key);
                                                        return row;
                                                      }})};
  const auto bulk = [&](std::span<const std::string> keys) {
    std::vector<std::optional<std::string>> rows;
    for (const auto& key : keys) rows.push_back(here.db.find(key));
    here.db.write("key", "new");
    cache.invalidate("key");
    return rows;
  };
  const std::vector<std::string> keys{"other", "key"};
  const auto answers = cache.get_many(keys, bulk);
  EXPECT_EQ(word(answers[0]), "absent");
  EXPECT_EQ(word(answers[1]), "new");

  cache.put("key", "old");
  here.db.write("key", "old");
  cache.expire("key");
  EXPECT_EQ(word(cache.get_or_load("key")), "old");  // stale, and a refresh is queued
  EXPECT_EQ(here.executor->run_all(), 1u);
  EXPECT_EQ(cache.get("key"), nullptr);  // it came too late: nothing was put back
}

/// Callers around an invalidation, on one thread: a load is held in its middle.
class Trap07Callers : public ::testing::Test {
 protected:
  void ask(auto& loader, std::optional<texts::answer>& to) {
    boost::asio::co_spawn(loop, cache.async_get_or_load("key", loader, use_awaitable),
                          [&to](const std::exception_ptr&, texts::answer answer) { to = std::move(answer); });
    loop.poll();
  }

  scene here;
  boost::asio::io_context loop;
  gate hold{loop};
  texts cache{here.options<std::string, std::string>({})};
  std::function<awaitable<std::optional<std::string>>(const std::string&)> slow =
      [this](const std::string& key) -> awaitable<std::optional<std::string>> {
    auto row = here.db.find(key);
    co_await hold.pass();
    co_return row;
  };
  std::function<std::optional<std::string>(const std::string&)> quick = [this](const std::string& key) {
    return here.db.find(key);
  };
};

TEST_F(Trap07Callers, ThoseWhoComeAfterGetTheNewValueAtOnce) {
  here.db.write("key", "old");
  std::optional<texts::answer> leader;
  std::optional<texts::answer> waiter;
  std::optional<texts::answer> later;
  ask(slow, leader);
  ask(quick, waiter);
  EXPECT_FALSE(leader || waiter);

  here.db.write("key", "new");
  cache.invalidate("key");
  ask(quick, later);
  ASSERT_TRUE(later);  // it did not wait for the load that began before
  EXPECT_EQ(word(*later), "new");
  ASSERT_TRUE(waiter);  // nor does one who waited already
  EXPECT_EQ(word(*waiter), "new");

  EXPECT_FALSE(leader);
  hold.open();
  loop.poll();
  ASSERT_TRUE(leader);
  EXPECT_EQ(word(*leader), "new");
  EXPECT_EQ(word(cache.get_or_load("key", quick)), "new");
  EXPECT_EQ(here.db.queries(), 2);
}

TEST_F(Trap07Callers, AThreadInItsLoaderIsCutOffToo) {
  here.db.write("key", "old");
  std::latch in_loader{1};
  std::latch invalidated{1};
  bool first = true;
  const auto held = [&](const std::string& key) {
    auto row = here.db.find(key);
    if (std::exchange(first, false)) {
      in_loader.count_down();
      invalidated.wait();
    }
    return row;
  };
  texts::answer got;
  std::jthread reader{[&] { got = cache.get_or_load("key", held); }};
  in_loader.wait();
  here.db.write("key", "new");
  cache.invalidate("key");
  EXPECT_EQ(cache.get("key"), nullptr);
  invalidated.count_down();
  reader.join();
  EXPECT_EQ(word(got), "new");
  EXPECT_EQ(word(cache.get_or_load("key", quick)), "new");
}

}  // namespace
