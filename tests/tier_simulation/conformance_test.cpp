// The simulated Redis answers as a real one does: the same commands and scripts, over two connections with tracking.
#include "conformance_servers.hpp"
#include "entry_format.hpp"
#include "scripts.hpp"
#include "servers/redis_server.hpp"

#include <gtest/gtest.h>

#include <string>

namespace simulation {
namespace {

/// Commands as the tier sends them, with bytes that meet each other often.
class script_of_commands {
 public:
  explicit script_of_commands(std::uint64_t seed) : draws_(seed) {}

  words next() {
    using namespace seawall::tier;
    const std::string key = draws_.pick({"a", "b"});
    switch (draws_.below(18)) {
      case 0:
      case 1: return {"GET", key};
      case 2: return {"SET", key, bytes()};
      case 3: return {"SET", key, bytes(), "NX", "PX", "100000"};
      case 4: return {"SET", key, bytes(), "NX", "GET", "PX", "100000"};
      case 5: return {"SET", key, bytes(), "XX"};
      case 6: return {"GETRANGE", key, "0", "47"};
      case 7: return {"SETRANGE", key, "24", "12345678"};
      case 8: return {"UNLINK", "a", "b"};
      case 9: return {"DEL", key};
      case 10: return {"EXISTS", key};
      case 11: return script(takeover_script(), key, {bytes(), bytes(), "100000"});
      case 12: return script(fill_script(), key, {lease(), bytes(), draws_.pick({"0", "100000"})});
      case 13: return script(put_script(), key, {bytes(), draws_.pick({"0", "100000"})});
      case 14: return script(release_script(), key, {nonce()});
      case 15: return script(unlock_script(), key, {bytes()});
      case 16: return {"SET", key, bytes(), "PX", "100000"};
      default: return {"EVALSHA", "0123456789012345678901234567890123456789", "1", key};
    }
  }

 private:
  words script(const seawall::cmd::script& what, const std::string& key, words values) {
    words command{"EVAL", what.source(), "1", key};
    command.insert(command.end(), values.begin(), values.end());
    return command;
  }

  seawall::tier_nonce draw_nonce() { return {.high = 1 + draws_.below(2), .low = 7}; }
  std::string nonce() {
    return seawall::tier::encode_lease(draw_nonce(), 0, 0).substr(seawall::tier::nonce_at, seawall::tier::nonce_size);
  }
  std::string lease() { return seawall::tier::encode_lease(draw_nonce(), 1 + draws_.below(2), 0); }
  std::string bytes() {
    if (draws_.one_in(12)) return "something else";
    const std::uint64_t reign = 1 + draws_.below(2);
    if (draws_.one_in(2)) return seawall::tier::encode_lease(draw_nonce(), reign, draws_.below(3));
    const seawall::tier_entry entry{.version = draws_.below(3), .payload = "value"};
    return seawall::tier::encode_entry(entry, draw_nonce(), reign, 0, {});
  }

  chance draws_;
};

void compare(std::uint16_t port, bool runs_out_of_memory) {
  for (std::uint64_t seed = 1; seed != 101; ++seed) {
    real_server real{port};
    simulated_server simulated;
    real.run(0, {"CONFIG", "SET", "maxmemory", "0"});
    real.run(0, {"FLUSHALL"});
    simulated.run(0, {"FLUSHALL"});
    script_of_commands commands{seed};
    chance turns{seed};
    for (int i = 0; i != 60; ++i) {
      if (runs_out_of_memory && i == 20) {
        real.run(0, {"CONFIG", "SET", "maxmemory", "1"});
        simulated.run_out_of_memory();
      }
      const words command = commands.next();
      const std::size_t who = turns.below(2);
      ASSERT_EQ(simulated.run(who, command), real.run(who, command))
          << "seed " << seed << ", command " << i << ": " << command[0] << ' ' << command[1];
    }
  }
}

TEST(SimulatedServer, AnswersAsARealOne) {
  SEAWALL_NEEDS_SERVER();
  const auto server = servers::redis_server::start();
  compare(server->port(), false);
}

TEST(SimulatedServer, RefusesWhatARealOneRefusesWithoutMemory) {
  SEAWALL_NEEDS_SERVER();
  const auto server = servers::redis_server::start();
  compare(server->port(), true);
}

}  // namespace
}  // namespace simulation
