// What exporters see of a client. No server is needed: a command of a closed client ends, too.
#include "client_counters.hpp"

#include "seawall/redis/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace seawall::redis {
namespace {

client client_named(std::string name) {
  auto made = client::connect({.url = "redis://127.0.0.1:6379", .client_name = std::move(name)});
  if (!made) throw std::runtime_error(made.error().message());
  return *std::move(made);
}

std::map<std::string, std::uint64_t> exported(const counter_source& source) {
  std::map<std::string, std::uint64_t> values;
  for (const counter_sample& one : source.counters().counters) values.emplace(one.name, one.value);
  return values;
}

TEST(client_counters, every_field_is_exported_under_its_name) {
  const auto counted = std::make_shared<stats_counters>();
  std::uint64_t n = 1;
  std::map<std::string, std::uint64_t> expected;
#define COUNT(field) counted->field.add(n), expected.emplace(#field, n++)
  COUNT(commands);
  COUNT(failures);
  COUNT(timeouts);
  COUNT(retries);
  COUNT(redirects);
  COUNT(connects);
  COUNT(connect_failures);
  COUNT(disconnects);
  COUNT(writes);
  COUNT(sent_bytes);
  COUNT(received_bytes);
  COUNT(pushes);
  COUNT(topology_refreshes);
#undef COUNT
  EXPECT_EQ(exported(client_counters{"shop", counted}), expected);
}

TEST(client_counters, are_labelled_by_the_name_of_the_client) {
  const auto set = client_named("shop").stats_handle()->counters();
  EXPECT_EQ(set.prefix, "seawall_redis_");
  EXPECT_EQ(set.label, "client");
  EXPECT_EQ(set.label_value, "shop");
}

TEST(client_counters, are_those_of_the_client_and_outlive_it) {
  auto db = client_named("shop");
  const auto numbers = db.stats_handle();
  EXPECT_EQ(exported(*numbers).at("commands"), 0U);
  db.close();
  EXPECT_FALSE(db.check());
  EXPECT_EQ(exported(*numbers).at("commands"), 1U);
  EXPECT_EQ(exported(*numbers).at("failures"), 1U);
  db = client_named("another");
  EXPECT_EQ(exported(*numbers).at("commands"), 1U);
}

TEST(client_counters, leave_with_the_last_handle_of_the_client) {
  std::weak_ptr<const counter_source> held;
  {
    const client db = client_named("shop");
    {
      const client copy = db;
      held = copy.stats_handle();
    }
    EXPECT_FALSE(held.expired());
  }
  EXPECT_TRUE(held.expired());
}

TEST(client_counters, stand_in_the_guide) {
  const auto guide = std::filesystem::path(__FILE__).parent_path() / "../../docs/guide/redis.md";
  std::ifstream file(guide);
  ASSERT_TRUE(file) << guide;
  std::stringstream text;
  text << file.rdbuf();
  for (const stats_info& one : stats_table) {
    const std::string row = "| `" + std::string(one.name) + "` | " + std::string(one.help) + " |";
    EXPECT_THAT(text.str(), testing::HasSubstr(row)) << "docs/guide/redis.md lacks this row";
  }
}

}  // namespace
}  // namespace seawall::redis
