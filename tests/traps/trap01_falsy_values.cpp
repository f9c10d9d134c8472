// Trap 1: `if (cached)` treats "", 0, false and null as a miss.
#include "usual.hpp"

#include <gtest/gtest.h>

namespace {

using namespace usual;

/// The usual snippet: `let v = cache[key]; if (v) return v; v = load(); cache[key] = v; return v;`
template <class V, class Load>
V usual_get(std::map<std::string, V>& cached, const std::string& key, Load&& load) {
  V value = cached[key];
  if (value != V{}) return value;
  value = load(key);
  cached[key] = value;
  return value;
}

/// Reads `value` from the source through both; how often each asked the source in three reads.
template <class V>
std::pair<int, int> loads_of(const V& value) {
  scene here;
  int loads = 0;
  const auto load = [&](const std::string&) -> V {
    ++loads;
    return value;
  };

  std::map<std::string, V> cached;
  for (int i = 0; i != 3; ++i) EXPECT_EQ(usual_get(cached, "key", load), value);
  const int usual_loads = std::exchange(loads, 0);

  seawall::cache<std::string, V> cache{here.options<std::string, V>({})};
  for (int i = 0; i != 3; ++i) {
    const auto answer = cache.get_or_load("key", load);
    EXPECT_TRUE(answer && *answer && **answer == value);
  }
  EXPECT_TRUE(cache.contains("key"));
  const auto got = cache.get("key");
  EXPECT_TRUE(got && *got == value);
  return {usual_loads, loads};
}

TEST(Trap01, FalsyValuesAreHits) {
  EXPECT_EQ(loads_of(std::string{}), std::pair(3, 1));
  EXPECT_EQ(loads_of(0), std::pair(3, 1));
  EXPECT_EQ(loads_of(false), std::pair(3, 1));
  EXPECT_EQ(loads_of(std::optional<int>{}), std::pair(3, 1));
  EXPECT_EQ(loads_of(std::string{"something"}), std::pair(1, 1));
}

TEST(Trap01, AnAbsenceIsAHit) {
  scene here;
  texts users{here.options<std::string, std::string>({})};
  const auto find = [&](const std::string& id) { return here.db.find(id); };
  for (int i = 0; i != 3; ++i) EXPECT_EQ(word(users.get_or_load("nobody", find)), "absent");
  EXPECT_EQ(here.db.queries(), 1);
  EXPECT_EQ(users.stats().total.negative_hits, 2u);
}

}  // namespace
