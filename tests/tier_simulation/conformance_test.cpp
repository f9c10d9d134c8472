// The simulated Redis answers as a real one does: the same commands and scripts, over two connections with tracking.
#include "entry_format.hpp"
#include "scripts.hpp"
#include "servers/raw_client.hpp"
#include "servers/redis_server.hpp"
#include "sim_server.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace simulation {
namespace {

namespace servers = seawall::servers;
using words = std::vector<std::string>;

// What a command brought: its reply, then what both connections were told.
struct outcome {
  std::string reply;
  std::array<words, 2> told;

  friend bool operator==(const outcome&, const outcome&) = default;
};

std::ostream& operator<<(std::ostream& out, const outcome& what) {
  out << printable(what.reply);
  for (const auto& told : what.told) {
    out << " [";
    for (const auto& key : told) out << key << ' ';
    out << ']';
  }
  return out;
}

std::string text_of(const servers::reply& what) {
  std::string text{what.type};
  if (what.is_error()) return text + what.text.substr(0, what.text.find(' '));
  text += what.text;
  for (const auto& one : what.elements) text += '(' + text_of(one) + ')';
  return text;
}

std::string text_of(const reply& what) {
  switch (what.kind) {
    case reply::is::nil: return "_";
    case reply::is::number: return ':' + std::to_string(what.number);
    case reply::is::bulk: return '$' + what.text;
    case reply::is::status: return '+' + what.text;
    case reply::is::failure: return '-' + what.text.substr(0, what.text.find(' '));
    case reply::is::list: break;
  }
  std::string text = "*";
  for (const auto& one : what.items) text += '(' + text_of(one) + ')';
  return text;
}

class real_server {
 public:
  explicit real_server(std::uint16_t port) : clients_{servers::raw_client{port}, servers::raw_client{port}} {
    for (auto& one : clients_) {
      one.run({"HELLO", "3"});
      one.run({"CLIENT", "TRACKING", "ON"});
    }
  }

  outcome run(std::size_t who, const words& command) {
    outcome made;
    clients_[who].send(servers::encode(command));
    made.reply = text_of(next_reply(who, made));
    for (std::size_t i = 0; i != clients_.size(); ++i) {
      clients_[i].send(servers::encode({"PING"}));
      next_reply(i, made);
    }
    return made;
  }

 private:
  servers::reply next_reply(std::size_t who, outcome& made) {
    for (;;) {
      auto next = clients_[who].receive();
      if (next.type != '>') return next;
      const auto& keys = next.elements[1];
      if (keys.is_null()) made.told[who].emplace_back("everything");
      for (const auto& key : keys.elements) made.told[who].push_back(key.text);
    }
  }

  std::array<servers::raw_client, 2> clients_;
};

class simulated_server {
 public:
  simulated_server() {
    for (auto& one : clients_) {
      one = std::make_shared<sim_connection>();
      one->tracked = true;
      node_.attach(one);
    }
  }

  outcome run(std::size_t who, const words& command) {
    const std::vector<std::string_view> views{command.begin(), command.end()};
    outcome made{.reply = text_of(node_.execute(*clients_[who], views)), .told = {}};
    node_.tell_own_news(*clients_[who]);
    for (std::size_t i = 0; i != clients_.size(); ++i) {
      for (auto& frame : std::exchange(clients_[i]->out, {})) {
        made.told[i].push_back(frame.kind == sim_connection::frame::is::flush ? "everything" : frame.bytes);
      }
    }
    return made;
  }

  void run_out_of_memory() { node_.out_of_memory = true; }

 private:
  chance draws_{1};
  std::int64_t now_ms_ = 1'700'000'000'000;
  sim_node node_{draws_, now_ms_};
  std::array<std::shared_ptr<sim_connection>, 2> clients_;
};

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
      case 12: return script(fill_script(), key, {nonce(), bytes(), draws_.pick({"0", "100000"})});
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
