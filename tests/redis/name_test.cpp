// Names that lead to another server than before. The answers of the system's resolver are the test's.
#include "client_support.hpp"
#include "servers/ports.hpp"

#include <dlfcn.h>
#include <netdb.h>

#include <map>
#include <mutex>
#include <vector>

namespace {

// Where a name leads: to these ports of 127.0.0.1, in this order.
struct {
  std::mutex mutex;
  std::map<std::string, std::vector<std::uint16_t>> ports;
  int asked = 0;
} names;

}  // namespace

// In place of the C library's for the whole program; it answers what it does not know here.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  using function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto system = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::lock_guard lock{names.mutex};
  const auto here = names.ports.find(host ? host : "");
  if (here == names.ports.end()) return system(host, service, hints, found);
  ++names.asked;
  addrinfo** end = found;
  for (const std::uint16_t port : here->second) {
    if (const int failed = system("127.0.0.1", std::to_string(port).c_str(), hints, end)) return failed;
    while (*end) end = &(*end)->ai_next;
  }
  return 0;
}

namespace seawall::redis {
namespace {

using servers::fake_server;
namespace answers = servers::answers;

// A server whose name is its answer to GET.
struct named_server {
  explicit named_server(std::string name, bool takes_writes = true)
      : server([=, healthy = answers::redis()](servers::fake_connection& on, const servers::arguments& command) {
          if (command.at(0) == "GET") return "+" + name + "\r\n";
          if (command.at(0) == "SET" && !takes_writes) {
            return std::string{"-READONLY You can't write against a read only replica.\r\n"};
          }
          return healthy(on, command);
        }) {}
  std::uint16_t port() const { return server.port(); }
  fake_server server;
};

class redis_names : public testing::Test {
 protected:
  ~redis_names() override { lead_to({}); }

  void lead_to(std::vector<std::uint16_t> ports) {
    const std::lock_guard lock{names.mutex};
    names.ports["moving.test"] = std::move(ports);
    names.asked = 0;
  }
  int asked() const {
    const std::lock_guard lock{names.mutex};
    return names.asked;
  }
  client connected() {
    return client::connect({.url = "redis://moving.test", .command_timeout = 20s, .backoff = {5ms, 50ms}}).value();
  }

  named_server a{"a"}, b{"b"};
};

TEST_F(redis_names, a_name_that_leads_elsewhere_is_followed_when_the_connection_breaks) {  // bug 27
  lead_to({a.port()});
  auto redis = connected();
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "a");
  lead_to({b.port()});
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "a") << "the connection is as good as ever";
  EXPECT_EQ(asked(), 0);
  a.server.close_all();
  servers::wait_until("the new server answers", [&] { return text_of(redis.run(cmd::get("k"))) == "b"; });
  EXPECT_EQ(asked(), 1);
}

TEST_F(redis_names, a_server_that_takes_no_writes_any_more_is_left_for_the_one_that_has_its_name) {  // bug 27
  named_server demoted{"demoted", false};
  lead_to({demoted.port()});
  auto redis = connected();
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "demoted");
  lead_to({b.port()});
  EXPECT_EQ(redis.run(cmd::set("k", "v")), true);
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "b");
}

TEST_F(redis_names, all_addresses_of_a_name_are_tried) {
  const auto nobody = servers::reserve_port();
  lead_to({nobody, nobody, b.port()});
  auto redis = connected();
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "b");
  EXPECT_EQ(redis.stats().connect_failures, 0U);
}

}  // namespace
}  // namespace seawall::redis
