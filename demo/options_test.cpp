#include "options.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace seawall::demo {
namespace {

std::expected<demo_options, early_exit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "seawall-demo");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

/// The message of a mistake, which must end with code 2.
std::string mistake(std::vector<const char*> arguments) {
  const auto parsed = parse(std::move(arguments));
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, 2);
  return parsed.error().text;
}

TEST(options, defaults) {
  const auto o = parse({});
  ASSERT_TRUE(o);
  EXPECT_EQ(o->seconds, 15);
  EXPECT_EQ(o->threads, 16);
  EXPECT_EQ(o->trace, "all");
  EXPECT_EQ(o->database, demo_options::default_database);
  EXPECT_FALSE(o->break_invalidation);
  EXPECT_EQ(o->processes, 1);
  EXPECT_EQ(o->redis, "");
  EXPECT_FALSE(o->shared()) << "one process, embedded, without a server";
}

TEST(options, several_processes_and_any_server_share) {
  EXPECT_TRUE(parse({"--processes", "3"})->shared());
  for (const char* url : {"redis://127.0.0.1:6379", "rediss://u:p@host/1", "unix:///tmp/x.sock",
                          "redis+sentinel://a,b:26379/shop"}) {
    const auto o = parse({"--redis", url, "--fresh", "10"});
    ASSERT_TRUE(o) << o.error().text;
    EXPECT_EQ(o->redis, url);
    EXPECT_EQ(o->fresh_percent, 10);
    EXPECT_TRUE(o->shared());
  }
}

TEST(options, all_of_them) {
  const auto o = parse({"--seconds", "3", "--threads=2", "--trace", "web07", "--database", "x.db", "--scale", "0.01",
                        "--break-invalidation"});
  ASSERT_TRUE(o) << o.error().text;
  EXPECT_EQ(o->seconds, 3);
  EXPECT_EQ(o->threads, 2);
  EXPECT_EQ(o->trace, "web07");
  EXPECT_EQ(o->database, "x.db");
  EXPECT_DOUBLE_EQ(o->scale, 0.01);
  EXPECT_TRUE(o->break_invalidation);
}

TEST(options, help_is_no_mistake) {
  const auto o = parse({"--help"});
  ASSERT_FALSE(o);
  EXPECT_EQ(o.error().code, 0);
  EXPECT_NE(o.error().text.find("--seconds"), std::string::npos);
  EXPECT_NE(o.error().text.find("--processes"), std::string::npos);
  EXPECT_NE(o.error().text.find("--redis"), std::string::npos);
  for (const char* hidden : {"--break-invalidation", "--worker", "--board"}) {
    EXPECT_EQ(o.error().text.find(hidden), std::string::npos) << hidden;
  }
}

TEST(options, mistakes_name_the_option) {
  for (const char* bad : {"0", "-1", "3601", "soon", ""}) {
    EXPECT_NE(mistake({"--seconds", bad}).find("--seconds"), std::string::npos) << bad;
  }
  for (const char* bad : {"0", "17", "abc", "-1", "2.5", ""}) {
    EXPECT_NE(mistake({"--processes", bad}).find("--processes"), std::string::npos) << bad;
  }
  for (const char* bad : {"", "6379", "http://localhost", "redis://:x:y:z", "redis+sentinel://host"}) {
    EXPECT_NE(mistake({"--redis", bad}).find("--redis"), std::string::npos) << bad;
  }
  EXPECT_NE(mistake({"--fresh", "101"}).find("--fresh"), std::string::npos);
  EXPECT_NE(mistake({"--threads", "257"}).find("--threads"), std::string::npos);
  EXPECT_NE(mistake({"--treads", "2"}).find("--treads"), std::string::npos);
  EXPECT_NE(mistake({"--json", "/nowhere/at/all.json"}).find("/nowhere/at/all.json"), std::string::npos);
}

TEST(options, fresh_reads_need_others_to_be_behind) {
  const std::string alone = mistake({"--fresh", "5"});
  for (const char* needed : {"--fresh", "--processes", "--redis", "--postgres"}) {
    EXPECT_NE(alone.find(needed), std::string::npos) << needed << ": " << alone;
  }
  EXPECT_EQ(mistake({"--fresh", "0"}), alone);
  EXPECT_TRUE(parse({"--fresh", "5", "--processes", "2"}));
  EXPECT_TRUE(parse({"--fresh", "5", "--postgres"}));
}

TEST(options, unknown_traffic_lists_the_known_one) {
  EXPECT_NE(mistake({"--trace", "web13"}).find("web07, web12, orm, all"), std::string::npos);
}

TEST(options, a_database_is_a_file_or_a_postgres) {
  for (const char* url : {"postgres://localhost/shop", "postgresql://ann:s%40fe@host:5433/shop?sslmode=require"}) {
    const auto o = parse({"--database", url});
    ASSERT_TRUE(o) << o.error().text;
    EXPECT_EQ(o->database, url);
    EXPECT_FALSE(o->shared());
  }
  EXPECT_NE(mistake({"--database", "mysql://localhost/shop"}).find("postgres://"), std::string::npos);
  EXPECT_NE(mistake({"--database", ""}).find("--database"), std::string::npos);
  const std::string wrong = mistake({"--database", "postgres://ann:hush-7@x@host/shop"});
  EXPECT_NE(wrong.find("--database"), std::string::npos) << wrong;
  EXPECT_EQ(wrong.find("hush-7"), std::string::npos) << wrong;
}

TEST(options, a_private_postgres_shares_and_takes_no_other_database) {
  const auto o = parse({"--postgres"});
  ASSERT_TRUE(o) << o.error().text;
  EXPECT_TRUE(o->postgres);
  EXPECT_TRUE(o->shared()) << "a Redis is started, too";
  EXPECT_NE(mistake({"--postgres", "--database", "x.db"}).find("--database"), std::string::npos);
}

}  // namespace
}  // namespace seawall::demo
