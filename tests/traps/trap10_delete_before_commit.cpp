// Trap 10: a delete before the commit lets a reader cache the old row again.
#include "seawall/cache/pending_invalidations.hpp"
#include "usual.hpp"

#include <gtest/gtest.h>

namespace {

using namespace usual;

std::string usual_get(scene& here, const std::string& key) {
  if (const auto cached = here.redis.get(key)) return *cached;
  std::string value = here.db.find(key).value_or("absent");
  here.redis.setex(key, 300s, value);
  return value;
}

class Trap10 : public ::testing::Test {
 protected:
  Trap10() { here.db.write("key", "old"); }

  scene here;
  texts cache{here.options<std::string, std::string>({})};
  std::function<std::optional<std::string>(const std::string&)> find = [this](const std::string& key) {
    return here.db.find(key);
  };
};

TEST_F(Trap10, TheUsualDeleteComesTooEarly) {
  usual::database::transaction change{here.db};
  change.write("key", "new");
  here.redis.del("key");
  EXPECT_EQ(usual_get(here, "key"), "old");  // a reader, before the commit
  change.commit();
  EXPECT_EQ(usual_get(here, "key"), "old");  // for five minutes
}

TEST_F(Trap10, InvalidationsWaitForTheCommit) {
  EXPECT_EQ(word(cache.get_or_load("key", find)), "old");
  usual::database::transaction change{here.db};
  seawall::pending_invalidations stale;
  change.write("key", "new");
  stale.add(cache, "key");
  EXPECT_TRUE(cache.contains("key"));  // nothing has happened yet
  EXPECT_EQ(word(cache.get_or_load("key", find)), "old");
  change.commit();
  stale.apply();
  EXPECT_EQ(word(cache.get_or_load("key", find)), "new");
  EXPECT_EQ(here.db.queries(), 2);
}

/// A load that reads before the commit and ends after the invalidation.
TEST_F(Trap10, AReaderAcrossTheCommitDoesNotBringTheOldRowBack) {
  usual::database::transaction change{here.db};
  seawall::pending_invalidations stale;
  change.write("key", "new");
  stale.add(cache, "key");
  bool first = true;
  const auto across = [&](const std::string& key) {
    auto row = here.db.find(key);
    if (std::exchange(first, false)) {
      change.commit();
      stale.apply();
    }
    return row;
  };
  EXPECT_EQ(word(cache.get_or_load("key", across)), "new");
  EXPECT_EQ(word(cache.get_or_load("key", find)), "new");
}

TEST_F(Trap10, ARollbackInvalidatesNothing) {
  cache.put("key", "old");
  cache.put("list", "old list");
  for (const bool explicitly : {true, false}) {
    usual::database::transaction change{here.db};
    seawall::pending_invalidations stale;
    change.write("key", "never seen");
    stale.add(cache, "key");
    stale.add_all(cache);
    EXPECT_EQ(stale.size(), 2u);
    if (explicitly) {
      stale.discard();
      stale.apply();
    }
  }
  EXPECT_TRUE(cache.contains("key"));
  EXPECT_TRUE(cache.contains("list"));
  EXPECT_EQ(word(cache.get_or_load("key", find)), "old");
}

TEST_F(Trap10, EverythingThatDependsOnTheRowGoes) {
  texts lists{here.options<std::string, std::string>({})};
  texts counts{here.options<std::string, std::string>({})};
  cache.put("key", "old");
  lists.put("page 1", "key, ...");
  counts.put("all", "1");
  counts.put("some", "1");
  seawall::pending_invalidations stale;
  stale.add(cache, "key");
  stale.add(lists, "page 1");
  stale.add_all(counts);
  stale.apply();
  EXPECT_EQ(cache.size() + lists.size() + counts.size(), 0u);
  EXPECT_EQ(stale.size(), 0u);
}

}  // namespace
