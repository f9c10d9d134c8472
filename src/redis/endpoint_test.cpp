#include "endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seawall::redis {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using net::address;

endpoint parsed(std::string url) { return parse_endpoint({.url = std::move(url)}).value(); }

std::string refusal(std::string url) {
  const auto found = parse_endpoint({.url = std::move(url)});
  return found ? "accepted" : found.error().message();
}

TEST(endpoint, standalone_urls) {
  EXPECT_THAT(parsed("redis://db").servers, ElementsAre(address{"db", 6379}));
  EXPECT_THAT(parsed("redis://db:7000/5").servers, ElementsAre(address{"db", 7000}));
  EXPECT_EQ(parsed("redis://db:7000/5").database, 5);
  EXPECT_THAT(parsed("redis://[::1]:7000").servers, ElementsAre(address{"::1", 7000}));
  EXPECT_FALSE(parsed("redis://db").tls);
  EXPECT_TRUE(parsed("rediss://db").tls);
}

TEST(endpoint, logins) {
  const auto both = parsed("redis://ada:p%40ss@db");
  EXPECT_EQ(both.user, "ada");
  EXPECT_EQ(both.password, "p@ss");
  for (const char* alone : {"redis://:secret@db", "redis://secret@db"}) {
    EXPECT_EQ(parsed(alone).user, "") << alone;
    EXPECT_EQ(parsed(alone).password, "secret") << alone;
  }
}

TEST(endpoint, options_override_the_url) {
  const auto found =
      parse_endpoint({.url = "redis://ada:one@db/1", .user = "bob", .password = "two", .database = 3}).value();
  EXPECT_EQ(found.user, "bob");
  EXPECT_EQ(found.password, "two");
  EXPECT_EQ(found.database, 3);
}

TEST(endpoint, unix_sockets) {
  const auto found = parsed("unix:///run/redis.sock?db=2");
  EXPECT_THAT(found.servers, ElementsAre(address{"", 0, "/run/redis.sock"}));
  EXPECT_EQ(found.database, 2);
  EXPECT_EQ(parsed("unix://ada:pw@/run/redis.sock").password, "pw");
}

TEST(endpoint, sentinels_and_clusters_have_lists) {
  const auto watched = parsed("redis+sentinel://:pw@a,b:26380,[::1]/mymaster/2");
  EXPECT_EQ(watched.kind, topology_kind::sentinel);
  EXPECT_THAT(watched.servers, ElementsAre(address{"a", 26379}, address{"b", 26380}, address{"::1", 26379}));
  EXPECT_EQ(watched.primary_name, "mymaster");
  EXPECT_EQ(watched.database, 2);
  EXPECT_EQ(watched.password, "pw");
  const auto cluster = parsed("rediss+cluster://a:7000,b:7001");
  EXPECT_EQ(cluster.kind, topology_kind::cluster);
  EXPECT_TRUE(cluster.tls);
  EXPECT_THAT(cluster.servers, ElementsAre(address{"a", 7000}, address{"b", 7001}));
}

TEST(endpoint, says_what_is_wrong_with_a_url) {
  EXPECT_THAT(refusal("http://db"), HasSubstr("redis://"));
  EXPECT_THAT(refusal("db:6379"), HasSubstr("redis://"));
  EXPECT_THAT(refusal(""), HasSubstr("redis://"));
  EXPECT_THAT(refusal("redis://"), HasSubstr("no host"));
  EXPECT_THAT(refusal("redis://db:0"), HasSubstr("port"));
  EXPECT_THAT(refusal("redis://db:99999"), HasSubstr("db:99999"));
  EXPECT_THAT(refusal("redis://db/x"), HasSubstr("database 'x'"));
  EXPECT_THAT(refusal("redis://db/-1"), HasSubstr("database '-1'"));
  EXPECT_THAT(refusal("redis://db/1/2"), HasSubstr("too many parts"));
  EXPECT_THAT(refusal("redis://a,b"), HasSubstr("one server"));
  EXPECT_THAT(refusal("redis://db?x=1"), HasSubstr("no parameters"));
  EXPECT_THAT(refusal("unix:///s?dbb=1"), HasSubstr("dbb"));
  EXPECT_THAT(refusal("unix://"), HasSubstr("path"));
  EXPECT_THAT(refusal("redis+sentinel://a"), HasSubstr("name of the primary"));
  EXPECT_THAT(refusal("redis+cluster://a/3"), HasSubstr("database 0 only"));
  EXPECT_THAT(refusal("redis://ada@db:1:2"), AllOf(HasSubstr("db:1:2")));
}

TEST(endpoint, never_shows_a_password) {
  EXPECT_THAT(refusal("http://ada:secret@db"), Not(HasSubstr("secret")));
  EXPECT_THAT(refusal("redis://ada:secret@d b"), Not(HasSubstr("secret")));
}

TEST(options, limits_name_the_option) {
  const auto refused = [](options how) {
    const auto valid = validate(how);
    return valid ? "accepted" : valid.error().message();
  };
  EXPECT_EQ(refused({}), "accepted");
  EXPECT_THAT(refused({.connections = 0}), HasSubstr("connections is 0"));
  EXPECT_THAT(refused({.max_retries = -1}), HasSubstr("max_retries"));
  EXPECT_THAT(refused({.command_timeout = {}}), HasSubstr("command_timeout"));
  EXPECT_THAT(refused({.client_name = "a b"}), HasSubstr("client_name"));
  EXPECT_THAT(refused({.backoff = {.first = std::chrono::seconds{3}}}), HasSubstr("backoff.most"));
  EXPECT_THAT(refused({.max_queued_commands = 0}), HasSubstr("max_queued_commands"));
}

}  // namespace
}  // namespace seawall::redis
