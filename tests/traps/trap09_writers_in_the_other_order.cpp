// Trap 9: database, then cache: two writers whose cache writes come in the other order leave the older value.
#include "usual.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace {

using namespace usual;

/// Two writers of two steps each (the database, the cache), and a reader whose load spans some of the steps.
enum class actor { a, b };

/// All orders of a, a, b, b.
std::vector<std::vector<actor>> orders() {
  std::vector<std::vector<actor>> all;
  std::vector<actor> order{actor::a, actor::a, actor::b, actor::b};
  do all.push_back(order);
  while (std::next_permutation(order.begin(), order.end()));
  return all;
}

/// The writers; each step of one is its next.
template <class CacheWrite>
struct writers {
  usual::database& db;
  CacheWrite write_cache;
  int steps[2] = {0, 0};

  void step(actor who) {
    const std::string value = who == actor::a ? "A's" : "B's";
    if (steps[static_cast<int>(who)]++ == 0) db.write("key", value);
    else write_cache(value);
  }
};
template <class CacheWrite>
writers(usual::database&, CacheWrite) -> writers<CacheWrite>;

/// The usual snippet: `db.update(key, value); cache.set(key, value);`
TEST(Trap09, TheUsualWritersLeaveTheOlderValue) {
  int wrong = 0;
  for (const auto& order : orders()) {
    scene here;
    writers both{here.db, [&](const std::string& value) { here.redis.setex("key", 300s, value); }};
    for (const actor who : order) both.step(who);
    if (here.redis.get("key") != here.db.find("key")) ++wrong;
  }
  EXPECT_EQ(wrong, 2);  // a b b a, and b a a b
}

/// Seawall's writers invalidate, after the commit. With a reader's load at any place between them.
TEST(Trap09, WritersThatInvalidateLeaveTheNewerValueInAnyOrder) {
  int scenes = 0;
  for (const auto& order : orders()) {
    for (std::size_t begin = 0; begin <= order.size(); ++begin) {
      for (std::size_t end = begin; end <= order.size(); ++end) {
        scene here;
        here.db.write("key", "first");
        texts cache{here.options<std::string, std::string>({})};
        cache.put("key", "first");
        writers both{here.db, [&](const std::string&) { cache.invalidate("key"); }};

        for (std::size_t i = 0; i != begin; ++i) both.step(order[i]);
        bool first = true;
        const auto load = [&](const std::string& key) {
          auto row = here.db.find(key);
          if (std::exchange(first, false)) {
            for (std::size_t i = begin; i != end; ++i) both.step(order[i]);
          }
          return row;
        };
        cache.get_or_load("key", load);
        if (first) {  // a hit: the load did not run, so its steps are done here
          for (std::size_t i = begin; i != end; ++i) both.step(order[i]);
        }
        for (std::size_t i = end; i != order.size(); ++i) both.step(order[i]);

        EXPECT_EQ(word(cache.get_or_load("key", load)), word(here.db.find("key")));
        ++scenes;
      }
    }
  }
  EXPECT_EQ(scenes, 6 * 15);
}

}  // namespace
