// Trap 8: SET NX on fill keeps the old value and loses the refresh.
#include "usual.hpp"

#include <gtest/gtest.h>

namespace {

using namespace usual;

/// The usual snippet: "NX, so that we never overwrite somebody else's newer value".
void usual_refresh(scene& here, const std::string& key) {
  here.redis.set_nx(key, here.db.find(key).value_or("absent"), 100s);
}

class Trap08 : public ::testing::Test {
 protected:
  texts::options early() const {
    return here.options<std::string, std::string>({.ttl = 100s, .jitter = 0, .stale_for = 1h, .refresh_ahead = 0.2});
  }

  scene here;
  std::function<std::optional<std::string>(const std::string&)> find = [this](const std::string& key) {
    return here.db.find(key);
  };
};

TEST_F(Trap08, TheUsualRefreshIsLost) {
  here.db.write("key", "old");
  usual_refresh(here, "key");
  here.db.write("key", "new");
  here.clock->advance(90s);
  usual_refresh(here, "key");
  EXPECT_EQ(here.redis.get("key"), "old");
  here.clock->advance(10s);
  EXPECT_EQ(here.redis.get("key"), std::nullopt);  // and its readers miss, in spite of the early refresh
}

TEST_F(Trap08, ARefreshByACallerReplacesTheOldValue) {
  here.db.write("key", "old");
  texts cache{early()};
  EXPECT_EQ(word(cache.get_or_load("key", find)), "old");
  here.db.write("key", "new");
  here.clock->advance(79s);
  EXPECT_EQ(word(cache.get_or_load("key", find)), "old");
  here.clock->advance(1s);  // in the last fifth of the ttl
  EXPECT_EQ(word(cache.get_or_load("key", find)), "new");
  here.clock->advance(79s);
  ASSERT_NE(cache.get("key"), nullptr);  // with a ttl of its own
  EXPECT_EQ(*cache.get("key"), "new");
  EXPECT_EQ(here.db.queries(), 2);
}

TEST_F(Trap08, ARefreshInTheBackgroundReplacesTheOldValue) {
  here.db.write("key", "old");
  auto how = early();
  how.loader = find;
  texts cache{how};
  cache.put("key", "old");
  here.db.write("key", "new");
  for (const auto passed : {90s, 150s}) {  // early, and while stale
    here.db.write("key", "new after " + std::to_string(passed.count()));
    here.clock->advance(passed);
    ASSERT_NE(cache.peek("key"), std::nullopt);
    EXPECT_NE(word(cache.get_or_load("key")), word(find("key")));  // served from the cache
    EXPECT_EQ(here.executor->run_all(), 1u);
    EXPECT_EQ(word(cache.get_or_load("key")), "new after " + std::to_string(passed.count()));
    EXPECT_EQ(cache.peek("key")->fresh_for, 100s);
  }
}

TEST_F(Trap08, APutReplacesWhatIsThereAndARowReplacesAnAbsence) {
  texts cache{early()};
  EXPECT_EQ(word(cache.get_or_load("key", find)), "absent");
  cache.put("key", "first");
  EXPECT_EQ(word(cache.get_or_load("key", find)), "first");
  cache.put("key", "second");
  EXPECT_EQ(word(cache.get_or_load("key", find)), "second");
}

/// What NX was meant for: a fill that read before a newer value was put does not overwrite that.
TEST_F(Trap08, AFillDoesNotOverwriteANewerPut) {
  here.db.write("key", "old");
  texts cache{early()};
  const auto overtaken = [&](const std::string& key) {
    auto row = here.db.find(key);
    here.db.write(key, "new");
    cache.put(key, "new");
    return row;
  };
  EXPECT_EQ(word(cache.get_or_load("key", overtaken)), "new");
  EXPECT_EQ(word(cache.get_or_load("key", find)), "new");
  EXPECT_EQ(here.db.queries(), 1);
}

}  // namespace
