// remote_tier_test: a tier in front of a server that says what the test wants.
#pragma once

#include "test_target.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace seawall::tier {

using outcome = tier_read::outcome;
using redis::tracking_loss;
using testing::ElementsAre;

class remote_tier_test : public testing::Test {
 protected:
  void SetUp() override {
    server.answer = [this](const words& command) { return reply(command); };
    make({.canary_interval = 0s, .advise = false});
  }

  void make(tier_options how) {
    tier.reset();
    how.clock = clock;
    how.seed = 1;
    auto made = remote_tier::over(server, std::move(how), [this] { return can; });
    ASSERT_TRUE(made);
    tier = *std::move(made);
    tier->feed()->on_tracking(server.generation);
  }

  // What is asked from here on comes over another connection.
  void reconnect() {
    tier->feed()->on_loss(server.generation, tracking_loss::disconnected, 0);
    tier->feed()->on_tracking(++server.generation);
  }

  // One key, and the commands as a server has them.
  std::string reply(const words& command) {
    const std::string& name = command.front();
    if (name == "EVAL") return beat;
    if (name == "GET") return stored ? bulk(*stored) : null;
    if (name == "GETRANGE") return bulk(stored ? stored->substr(0, header_size) : std::string{});
    if (name == "SET") return set(command);
    if (name == "EVALSHA") return script;
    return number(1);
  }
  std::string set(const words& command) {
    if (command.at(3) == "IFEQ" ? stored != command.at(4) : command.at(3) == "NX" && stored.has_value()) return null;
    stored = command.at(2);
    return fine;
  }

  std::shared_ptr<noted<tier_read>> read(auto... change) {
    auto what = std::make_shared<noted<tier_read>>();
    what->key = "k";
    what->lease_for = 10s;
    (change(*what), ...);
    tier->read(what);
    return what;
  }
  std::shared_ptr<noted<tier_fill>> fill(const tier_nonce& lease) {
    auto what = std::make_shared<noted<tier_fill>>();
    what->key = "k";
    what->lease = lease;
    what->entry.payload = "v";
    tier->fill(what);
    return what;
  }
  std::string value(char reign, std::string payload = "v") {
    return encode_entry({.fresh_for = 1h, .payload = std::move(payload)}, {.high = 7, .low = 7}, reign_number(reign), 0,
                        {});
  }
  std::vector<std::string> sent() { return std::exchange(server.sent, {}); }
  std::size_t beats() const {
    return static_cast<std::size_t>(std::ranges::count(server.commands, "EVAL", [](const words& one) {
      return one.front();
    }));
  }

  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  played_server server;
  redis::capabilities can;
  std::string beat = reign_reply('A');
  std::string script = number(1);
  std::optional<std::string> stored;
  std::shared_ptr<remote_tier> tier;
};

}  // namespace seawall::tier
