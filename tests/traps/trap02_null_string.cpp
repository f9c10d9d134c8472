// Trap 2: an absence stored as the string "null" cannot be told from a row that is a JSON null.
#include "usual.hpp"

#include <gtest/gtest.h>

namespace {

using namespace usual;

std::optional<std::string> usual_get(scene& here, const std::string& id) {
  if (const auto cached = here.redis.get(id)) {
    if (*cached == "null") return std::nullopt;
    return cached;
  }
  const auto row = here.db.find(id);
  here.redis.setex(id, 60s, row.value_or("null"));
  return row;
}

TEST(Trap02, NullIsNotAbsence) {
  scene here;
  here.db.write("setting", "null");

  EXPECT_EQ(word(usual_get(here, "setting")), "null");
  EXPECT_EQ(word(usual_get(here, "setting")), "absent");  // the row was there, and is gone now

  texts settings{here.options<std::string, std::string>({})};
  const auto find = [&](const std::string& id) { return here.db.find(id); };
  const int queries = here.db.queries();
  for (int i = 0; i != 3; ++i) {
    EXPECT_EQ(word(settings.get_or_load("setting", find)), "null");
    EXPECT_EQ(word(settings.get_or_load("nothing", find)), "absent");
  }
  EXPECT_EQ(here.db.queries() - queries, 2);

  const auto kept = settings.peek("setting");
  ASSERT_TRUE(kept && kept->value);
  EXPECT_EQ(*kept->value, "null");
  const auto absence = settings.peek("nothing");
  ASSERT_TRUE(absence);
  EXPECT_EQ(absence->value, nullptr);

  // No other text stands for an absence either.
  for (const std::string text : {"", "nil", "undefined", "__NULL__", "(nil)"}) {
    settings.put(text, text);
    EXPECT_EQ(word(settings.get_or_load(text, find)), text);
  }
}

}  // namespace
