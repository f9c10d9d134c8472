#include "seawall/cmd/keys.hpp"

#include "test_commands.hpp"

namespace seawall::cmd {
namespace {

using namespace std::chrono_literals;

TEST(Keys, WhatTheySend) {
  const std::vector<std::string_view> keys{"x", "y"};
  EXPECT_EQ(bytes_of(del("a", "b")), "DEL a b");
  EXPECT_EQ(bytes_of(unlink(keys)), "UNLINK x y");
  EXPECT_EQ(bytes_of(exists("a")), "EXISTS a");
  EXPECT_EQ(bytes_of(touch("a")), "TOUCH a");
  EXPECT_EQ(bytes_of(expire("k", 2min)), "EXPIRE k 120");
  EXPECT_EQ(bytes_of(expire("k", 1ms, expire_when::no_ttl)), "PEXPIRE k 1 NX");
  EXPECT_EQ(bytes_of(expire("k", 1s, expire_when::has_ttl)), "EXPIRE k 1 XX");
  EXPECT_EQ(bytes_of(expire("k", 1s, expire_when::later)), "EXPIRE k 1 GT");
  EXPECT_EQ(bytes_of(expire("k", 1s, expire_when::sooner)), "EXPIRE k 1 LT");
  EXPECT_EQ(bytes_of(expire_at("k", server_time{9ms})), "PEXPIREAT k 9");
  EXPECT_EQ(bytes_of(persist("k")), "PERSIST k");
  EXPECT_EQ(bytes_of(ttl("k")), "PTTL k");
  EXPECT_EQ(bytes_of(expire_time("k")), "PEXPIRETIME k");
  EXPECT_EQ(bytes_of(type("k")), "TYPE k");
  EXPECT_EQ(bytes_of(rename("a", "b")), "RENAME a b");
  EXPECT_EQ(bytes_of(rename_if_absent("a", "b")), "RENAMENX a b");
  EXPECT_EQ(bytes_of(copy("a", "b")), "COPY a b");
  EXPECT_EQ(bytes_of(copy("a", "b", {.replace = true, .database = 2})), "COPY a b DB 2 REPLACE");
  EXPECT_EQ(bytes_of(dump("k")), "DUMP k");
  EXPECT_EQ(bytes_of(restore("k", "bytes", {.ex = 2s, .replace = true})), "RESTORE k 2000 bytes REPLACE");
  EXPECT_EQ(bytes_of(restore("k", "bytes")), "RESTORE k 0 bytes");
  EXPECT_EQ(bytes_of(random_key()), "RANDOMKEY");
  EXPECT_EQ(bytes_of(object_encoding("k")), "OBJECT ENCODING k");
  EXPECT_EQ(bytes_of(object_refcount("k")), "OBJECT REFCOUNT k");
  EXPECT_EQ(bytes_of(object_idle_seconds("k")), "OBJECT IDLETIME k");
  EXPECT_EQ(bytes_of(object_frequency("k")), "OBJECT FREQ k");
  EXPECT_EQ(bytes_of(memory_usage("k")), "MEMORY USAGE k");
  EXPECT_EQ(bytes_of(memory_usage("k", 0)), "MEMORY USAGE k SAMPLES 0");
  EXPECT_EQ(bytes_of(sort("k")), "SORT_RO k");
  EXPECT_EQ(bytes_of(sort("k", {.by = "w_*", .offset = 1, .count = 2, .descending = true, .alphabetically = true})),
            "SORT_RO k BY w_* LIMIT 1 2 DESC ALPHA");
  EXPECT_EQ(bytes_of(sort_store("to", "k")), "SORT k STORE to");
}

TEST(Keys, WhatTheyRefuse) {
  EXPECT_EQ(bytes_of(del(std::vector<std::string>{})), "DEL: no key was given");
  EXPECT_EQ(bytes_of(expire("k", 0s)), "EXPIRE: the time to live must be positive");
  EXPECT_EQ(bytes_of(expire("k", -1ms)), "PEXPIRE: the time to live must be positive");
  EXPECT_EQ(bytes_of(expire_at("k", server_time{})), "PEXPIREAT: the moment to expire must lie after 1970");
  EXPECT_EQ(bytes_of(copy("a", "b", {.database = -1})), "COPY: the database must not be negative");
  EXPECT_EQ(bytes_of(restore("k", "b", {.ex = 0s})), "RESTORE: the time to live must be positive");
  EXPECT_EQ(bytes_of(memory_usage("k", -1)), "MEMORY: the number of samples must not be negative");
  EXPECT_EQ(bytes_of(sort("k", {.offset = -1})), "SORT_RO: offset and count must not be negative");
}

TEST(Keys, WhatTheyRead) {
  EXPECT_EQ(reads(del("a", "b"), ":2"), 2);
  EXPECT_EQ(reads(unlink("a"), ":1"), 1);
  EXPECT_EQ(reads(exists("a"), ":0"), 0);
  EXPECT_EQ(reads(touch("a"), ":1"), 1);
  EXPECT_TRUE(reads(expire("k", 1s), ":1"));
  EXPECT_FALSE(reads(expire_at("k", server_time{1ms}), ":0"));
  EXPECT_FALSE(reads(persist("k"), ":0"));
  EXPECT_EQ(reads(type("k"), "+none"), "none");
  EXPECT_EQ(reads(rename("a", "b"), "+OK"), ok{});
  EXPECT_TRUE(reads(rename_if_absent("a", "b"), ":1"));
  EXPECT_TRUE(reads(copy("a", "b"), ":1"));
  EXPECT_EQ(reads(dump("k"), "$-1"), std::nullopt);
  EXPECT_EQ(reads(restore("k", "x"), "+OK"), ok{});
  EXPECT_EQ(reads(random_key(), "$1 k"), "k");
  EXPECT_EQ(reads(object_encoding("k"), "$3 int"), "int");
  EXPECT_EQ(reads(object_refcount("k"), "_"), std::nullopt);
  EXPECT_EQ(reads(object_idle_seconds("k"), ":3"), 3);
  EXPECT_EQ(reads(object_frequency("k"), ":4"), 4);
  EXPECT_EQ(reads(memory_usage("k"), ":56"), 56);
  EXPECT_EQ(reads(sort<int>("k"), "*2 $1 1 $1 2"), (std::vector{1, 2}));
  EXPECT_EQ(reads(sort_store("t", "k"), ":2"), 2);
}

TEST(Keys, ALifetimeTellsThreeCasesApart) {
  const auto missing = reads(ttl("k"), ":-2");
  EXPECT_FALSE(missing.exists());
  EXPECT_FALSE(missing.endless());
  EXPECT_EQ(missing.value(), std::nullopt);
  const auto endless = reads(ttl("k"), ":-1");
  EXPECT_TRUE(endless.exists());
  EXPECT_TRUE(endless.endless());
  EXPECT_EQ(endless.value(), std::nullopt);
  const auto limited = reads(ttl("k"), ":1500");
  EXPECT_TRUE(limited.exists());
  EXPECT_FALSE(limited.endless());
  EXPECT_EQ(limited.value(), 1500ms);
  EXPECT_EQ(reads(expire_time("k"), ":7").value(), server_time{7ms});
}

}  // namespace
}  // namespace seawall::cmd
