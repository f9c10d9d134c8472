// Traps 1, 2, 16, 19, 20 and 28, odd keys and foreign bytes: what is stored, under which key, and for how long.
#include "seawall/json.hpp"
#include "shared_usual.hpp"

#include <boost/describe/class.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <vector>

/// Two releases of one program: a price in cents, then one in euros.
namespace shop_v1 {
struct product {
  std::int64_t price = 0;
};
BOOST_DESCRIBE_STRUCT(product, (), (price))
}  // namespace shop_v1
namespace shop_v2 {
struct product {
  double price = 0;
};
BOOST_DESCRIBE_STRUCT(product, (), (price))
}  // namespace shop_v2
template <>
struct seawall::codec<shop_v1::product> : seawall::json_codec<shop_v1::product> {};
template <>
struct seawall::codec<shop_v2::product> : seawall::json_codec<shop_v2::product> {};

namespace {

using namespace usual;
using namespace std::string_literals;

std::string not_asked_for(const std::string&) { return "a load"; }

/// Traps 1 and 2: "", "0" and "null" are values, and an absence is none of them.
using Trap01Shared = SharedTrap;

TEST_F(Trap01Shared, EveryValueIsAHitElsewhere) {
  redis_client a = client();
  db.write("empty", "");
  db.write("null", "null");
  const auto usual_find = [&](const std::string& key) {
    if (const auto cached = a.get(key); cached && !cached->empty()) return *cached == "null" ? "absent" : *cached;
    std::string value = db.find(key).value_or("null");
    a.setex(key, 300s, value);
    return value;
  };
  for (int i = 0; i != 3; ++i) usual_find("empty");
  EXPECT_EQ(db.queries(), 3);
  EXPECT_EQ(usual_find("null"), "null");
  EXPECT_EQ(usual_find("null"), "absent");

  process here{server->port()}, there{server->port()};
  for (const std::string& value : {""s, "0"s, "false"s, "null"s, "(nil)"s, "__NULL__"s, "\0"s, "\xff\r\n$-1\r\n"s}) {
    db.write(value, value);
    EXPECT_EQ(here.ask(value, find, fresh), value);
    EXPECT_EQ(there.ask(value, not_asked_for), value);
  }
  EXPECT_EQ(here.ask("nobody", find, fresh), "absent");
  EXPECT_EQ(there.ask("nobody", not_asked_for), "absent");
}

/// Trap 16: the same TTL everywhere: what was loaded together expires together.
using Trap16Shared = SharedTrap;

TEST_F(Trap16Shared, ExpiriesAreSpread) {
  constexpr int count = 100;
  constexpr std::chrono::milliseconds ttl = 1000s;
  const auto expiries = [&](const std::string& pattern) {
    std::vector<std::int64_t> all;
    for (const auto& key : keys(pattern)) all.push_back(std::stoll(server->run({"PEXPIRETIME", key}).text));
    EXPECT_EQ(all.size(), count);
    const auto [first, last] = std::ranges::minmax(all);
    return std::pair{std::chrono::milliseconds{last - first}, std::chrono::milliseconds{last}};
  };
  redis_client a = client();
  a.run({"MULTI"});
  for (int i = 0; i != count; ++i) a.run({"SETEX", "key " + std::to_string(i), "1000", "value"});
  a.run({"EXEC"});
  EXPECT_LE(expiries("key *").first, 5s);

  process here{server->port(), {.ttl = ttl, .jitter = 0.1}};
  std::vector<std::string> wanted;
  for (int i = 0; i != count; ++i) wanted.push_back(std::to_string(i));
  here.cache.get_many(wanted, [](std::span<const std::string> missing) {
    return std::vector<std::string>(missing.size(), "value");
  });
  here.cache.invalidate("other");  // so that what was sent before is stored
  const std::int64_t now = std::stoll(server->run({"TIME"}).elements.at(0).text);
  const auto [spread, last] = expiries("users:*");
  EXPECT_GE(spread, 50s);
  EXPECT_LE(last, std::chrono::seconds{now + 1} + ttl) << "jitter only takes away";
}

/// Trap 19: stale-while-revalidate with its own time inside the value, and no TTL: keys live for ever.
using Trap19Shared = SharedTrap;

TEST_F(Trap19Shared, EveryKeyEnds) {
  redis_client a = client();
  a.set("key", "{\"value\":1,\"fresh_until\":1700000000}");
  EXPECT_EQ(ttl_ms("key"), -1);
  a.del("key");

  process here{server->port(), {.stale_for = 1h, .stale_if_error = 2h}};
  here.ask("a", find, fresh);
  here.ask("b", find, {.sliding = 1min, .tags = {"tenant"}});
  here.cache.invalidate_tag("tenant");
  here.cache.clear();
  std::vector<std::string> while_loading;
  here.ask("c", find_and([&] { while_loading = keys(); }), {.tags = {"tenant"}});
  here.cache.invalidate("other");
  EXPECT_GE(while_loading.size(), 4);
  EXPECT_GE(keys().size(), 4);
  for (const auto& key : keys()) {
    if (key == "seawall:reign") continue;  // one, however many keys there are
    EXPECT_GT(ttl_ms(key), 0) << key;
  }
}

/// Trap 20: XFetch with the stored milliseconds of the load taken for seconds: whoever reads refreshes.
using Trap20Shared = SharedTrap;

TEST_F(Trap20Shared, AnotherProcessDrawsWithTheStoredLoadTime) {
  redis_client a = client(), b = client();
  a.run({"HSET", "key", "value", "v", "delta", "10000"});  // a load of ten seconds, as this process measures it
  std::mt19937 random{1};
  const auto usual_due = [&](double delta, double left) {
    return -delta * std::log(std::uniform_real_distribution<double>{1e-12, 1}(random)) >= left;
  };
  const double delta = std::stod(b.run({"HGET", "key", "delta"}).text);
  int due = 0;
  for (int i = 0; i != 1000; ++i) due += usual_due(delta, 200) ? 1 : 0;
  EXPECT_GT(due, 900);  // with all of its 200 seconds before it

  const auto clock = std::make_shared<seawall::manual_clock>();
  const texts::options how{.ttl = 200s, .jitter = 0, .xfetch_beta = 1, .clock = clock};
  const seawall::tier_options tier_how{.bound = 1h, .heartbeat = 20min, .idle = 2h, .clock = clock};
  process here{server->port(), how, tier_how}, there{server->port(), how, tier_how};
  there.warm_up();
  here.ask("key", [&](const std::string&) {
    clock->advance(10s);
    return std::optional<std::string>{"value"};
  });
  here.cache.invalidate("other");  // goes the same way, so what was sent before is stored
  int loads = 0;
  const auto load = [&](const std::string&) { return std::optional<std::string>{std::to_string(++loads)}; };
  for (int i = 0; i != 1000; ++i) EXPECT_EQ(there.ask("key", load), "value");
  EXPECT_EQ(loads, 0);
  clock->advance(195s);  // half of a load before its end: six of ten reads are to refresh it
  for (int i = 0; i != 100 && loads == 0; ++i) there.ask("key", load);
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(there.cache.stats().total.refreshes, 1);
}

/// Trap 28: in a rolling deploy, old and new code read each other's entries.
using Trap28Shared = SharedTrap;

TEST_F(Trap28Shared, EachReleaseReadsItsOwn) {
  redis_client a = client();
  std::string text;
  seawall::codec<shop_v1::product>::encode({1999}, text);
  a.setex("product", 300s, text);
  EXPECT_EQ(seawall::codec<shop_v2::product>::decode(a.get("product").value())->price, 1999.0);  // euros!

  const auto old_tier = process::connect(process::url_of(server->port()), process::generous());
  const auto new_tier = process::connect(process::url_of(server->port()), process::generous());
  seawall::cache<std::string, shop_v1::product> before{{.name = "products", .shared = old_tier}};
  seawall::cache<std::string, shop_v2::product> after{{.name = "products", .shared = new_tier}};
  for (int i = 0; i != 3; ++i) {
    const auto cents = before.get_or_load("p", [](const auto&) { return shop_v1::product{1999}; }, fresh);
    const auto euros = after.get_or_load("p", [](const auto&) { return shop_v2::product{19.99}; }, fresh);
    ASSERT_TRUE(cents && *cents && euros && *euros);
    EXPECT_EQ((*cents)->price, 1999);
    EXPECT_EQ((*euros)->price, 19.99);
  }
}

/// Bytes under a cache's key that no cache has written, and other types than strings.
using ForeignBytesShared = SharedTrap;

TEST_F(ForeignBytesShared, TheyAreMissesAndAreReplaced) {
  redis_client a = client();
  a.run({"HSET", "key", "field", "value"});
  EXPECT_THROW(usual_get(a, "key"), std::runtime_error);  // each time, until somebody looks
  a.run({"SET", "other", "bytes of another program"});
  EXPECT_EQ(usual_get(a, "other"), "bytes of another program");

  process here{server->port()}, there{server->port()}, source{server->port()};
  db.write("original", "value");
  EXPECT_EQ(source.ask("original", find, fresh), "value");
  std::string entry = server->run({"GET", "users:original"}).text;
  const std::string cut = entry.substr(0, 47);
  entry[0] = '?';
  for (const std::string& bytes : {"garbage"s, "x"s, std::string(48, '\0'), std::string(100, '\xff'), entry, cut}) {
    SCOPED_TRACE(bytes);
    db.write("key", "right");
    server->run({"SET", "users:key", bytes});
    const int before = db.queries();
    EXPECT_EQ(here.ask("key", find, fresh), "right");
    EXPECT_EQ(there.ask("key", not_asked_for, fresh), "right") << "replaced";
    EXPECT_EQ(db.queries() - before, 1);
  }
  for (const seawall::servers::arguments& command : std::vector<seawall::servers::arguments>{
           {"RPUSH", "users:list", "a"}, {"HSET", "users:hash", "a", "b"}, {"SADD", "users:set", "a"}}) {
    server->run(command);
    const std::string key = command[1].substr(6);
    db.write(key, "right");
    EXPECT_EQ(here.ask(key, find, fresh), "right");
    EXPECT_EQ(there.ask(key, find), "right");
    db.write(key, "changed");
    here.cache.invalidate(key);
    EXPECT_EQ(here.ask(key, find), "changed");
    EXPECT_EQ(there.ask(key, find, fresh), "changed");
  }
}

/// Keys with braces, colons, blanks and bytes of all kinds.
using OddKeysShared = SharedTrap;

TEST_F(OddKeysShared, EachIsItsOwn) {
  redis_client a = client();
  const auto usual_key = [](const std::string& tenant, const std::string& id) { return tenant + ":" + id; };
  a.set(usual_key("a:b", "c"), "of tenant a:b");
  EXPECT_EQ(a.get(usual_key("a", "b:c")), "of tenant a:b");  // read by tenant a

  process here{server->port()}, there{server->port()};
  const std::vector<std::string> odd{
      "",      ":",    "a",          "a:",       ":a",   "{a}", "{a}:r", "{",    "}{",   "{}a", "a b", "a\r\nDEL a",
      "\0"s,   "a\0"s, "\xff\xfe\x80", "*",      "a*",   "?",   "[a]",   "\\a",  "%s",   "\"a\"",
      "gr\u00fcn", "A",    "seawall:reign", "users:a", std::string(2000, 'k'), std::string(2000, 'k') + "{"};
  for (const auto& key : odd) {
    db.write(key, "value of " + key);
    EXPECT_EQ(here.ask(key, find, fresh), "value of " + key);
  }
  const int before = db.queries();
  for (const auto& key : odd) EXPECT_EQ(there.ask(key, find), "value of " + key);
  EXPECT_EQ(db.queries(), before) << "all were shared";
  EXPECT_EQ(keys("users:*").size(), odd.size());
  for (const auto& key : odd) {
    db.write(key, "new value of " + key);
    here.cache.invalidate(key);
    EXPECT_EQ(there.ask(key, find, fresh), "new value of " + key);
    const int queries = db.queries();
    for (const auto& other : odd) there.ask(other, find);
    EXPECT_EQ(db.queries(), queries) << "no other went with it";
  }
}

}  // namespace
