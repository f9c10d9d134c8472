// SCAN of the simulated Redis and of a real one: the pages and their order are a server's own, what a whole walk finds
// is not.
#include "conformance_servers.hpp"
#include "prefix_walk.hpp"
#include "servers/redis_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace simulation {
namespace {

/// What a whole walk over a server finds; `between` is called after each page but the last.
template <class Server>
std::set<std::string> walk(Server& over, const words& options, const std::function<void()>& between = [] {}) {
  std::set<std::string> found;
  std::string cursor = "0";
  do {
    words command{"SCAN", cursor};
    command.insert(command.end(), options.begin(), options.end());
    const outcome page = over.run(0, command);
    EXPECT_TRUE(page.told[0].empty() && page.told[1].empty());
    std::vector<std::string> texts;  // the reply is written "*($cursor)(*($key)($key))"
    for (std::size_t at = page.reply.find("($"); at != std::string::npos; at = page.reply.find("($", at + 2)) {
      texts.push_back(page.reply.substr(at + 2, page.reply.find(')', at) - at - 2));
    }
    if (texts.empty()) {
      ADD_FAILURE() << page;
      return found;
    }
    cursor = texts.front();
    found.insert(texts.begin() + 1, texts.end());
    if (cursor != "0") between();
  } while (cursor != "0");
  return found;
}

/// Keys that a walk may take for each other's, and what the tier looks for.
struct searched {
  std::string prefix;
  bool leases = false;
  bool means(std::string_view key) const {
    if (!leases) return key.starts_with(prefix);
    return key.find(prefix) != key.npos && key.substr(key.find(prefix) + prefix.size()).ends_with(":l");
  }
  std::string pattern() const {
    return leases ? '*' + seawall::tier::pattern_of_prefix(prefix) + ":l" : seawall::tier::pattern_of_prefix(prefix);
  }
};

std::string draw_name(chance& draws) {
  const std::string start = draws.pick({"u:", "u*", "u?", "u[a]", R"(u\)", "U:", "v:u:"});
  const std::string name = start + std::to_string(draws.below(9));
  return draws.one_in(3) ? '{' + name + "}:l" : name;
}

searched draw_search(chance& draws) {
  return {.prefix = draws.pick({"u", "u:", "u*", "u?", "u[", R"(u\)", "v", "w"}), .leases = draws.one_in(3)};
}

TEST(SimulatedServer, AWalkFindsWhatARealOneFinds) {
  SEAWALL_NEEDS_SERVER();
  const auto server = servers::redis_server::start();
  for (std::uint64_t seed = 1; seed != 51; ++seed) {
    real_server real{server->port()};
    simulated_server simulated;
    real.run(0, {"FLUSHALL"});
    chance draws{seed};
    std::set<std::string> keys;
    for (std::size_t i = draws.below(40); i != 0; --i) {
      const std::string key = draw_name(draws);
      keys.insert(key);
      ASSERT_EQ(simulated.run(0, {"SET", key, "v"}), real.run(0, {"SET", key, "v"}));
    }
    for (int i = 0; i != 10; ++i) {
      const searched what = draw_search(draws);
      const words options{"MATCH", what.pattern(), "COUNT", draws.pick({"1", "3", "500"})};
      std::set<std::string> meant;
      std::ranges::copy_if(keys, std::inserter(meant, meant.end()), [&](const auto& key) { return what.means(key); });
      ASSERT_EQ(walk(real, options), meant) << "seed " << seed << ", " << what.pattern();
      ASSERT_EQ(walk(simulated, options), meant) << "seed " << seed << ", " << what.pattern();
    }
  }
}

// What is there from the beginning to the end is found, and what is never there is not.
template <class Server>
void walk_while_keys_change(Server& over, std::uint64_t seed) {
  over.run(0, {"FLUSHALL"});
  chance draws{seed};
  std::set<std::string> stays;
  for (std::size_t i = draws.below(40); i != 0; --i) stays.insert(draw_name(draws));
  std::set<std::string> ever = stays;
  for (const auto& key : stays) over.run(1, {"SET", key, "v"});
  const auto change = [&] {
    const std::string key = draw_name(draws);
    if (draws.one_in(2)) {
      over.run(1, {"SET", key, "w"});
      ever.insert(key);
    } else {
      over.run(1, {"UNLINK", key});
      stays.erase(key);
    }
  };
  const searched what = draw_search(draws);
  const auto found = walk(over, {"MATCH", what.pattern(), "COUNT", draws.pick({"1", "3"})}, change);
  for (const auto& key : found) EXPECT_TRUE(what.means(key) && ever.contains(key)) << key << ", seed " << seed;
  for (const auto& key : stays) EXPECT_TRUE(!what.means(key) || found.contains(key)) << key << ", seed " << seed;
}

TEST(SimulatedServer, AWalkWhileKeysChangePromisesWhatARealOneDoes) {
  SEAWALL_NEEDS_SERVER();
  const auto server = servers::redis_server::start();
  for (std::uint64_t seed = 1; seed != 101; ++seed) {
    real_server real{server->port()};
    walk_while_keys_change(real, seed);
    simulated_server simulated;
    walk_while_keys_change(simulated, seed);
  }
}

TEST(SimulatedServer, RefusesTheWalksThatARealOneRefuses) {
  SEAWALL_NEEDS_SERVER();
  const auto server = servers::redis_server::start();
  real_server real{server->port()};
  simulated_server simulated;
  const words refused[] = {{"SCAN", "x"},
                           {"SCAN", "0", "COUNT", "0"},
                           {"SCAN", "0", "COUNT", "x"},
                           {"SCAN", "0", "MATCH"},
                           {"SCAN", "0", "COUNT", "1", "MATCH"},
                           {"SCAN", "0", "LIKE", "x"}};
  for (const words& command : refused) {
    const outcome answer = real.run(0, command);
    EXPECT_EQ(answer.reply, "-ERR") << command.back();
    EXPECT_EQ(simulated.run(0, command), answer) << command.back();
  }
}

}  // namespace
}  // namespace simulation
