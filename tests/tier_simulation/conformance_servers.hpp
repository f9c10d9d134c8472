// The simulated Redis and a real one, as tests ask both: two connections with tracking, one command at a time.
#pragma once

#include "servers/raw_client.hpp"
#include "sim_server.hpp"

#include <array>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulation {

namespace servers = seawall::servers;
using words = std::vector<std::string>;

// What a command brought: its reply, then what both connections were told.
struct outcome {
  std::string reply;
  std::array<words, 2> told;

  friend bool operator==(const outcome&, const outcome&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const outcome& what) {
  out << printable(what.reply);
  for (const auto& told : what.told) {
    out << " [";
    for (const auto& key : told) out << key << ' ';
    out << ']';
  }
  return out;
}

inline std::string text_of(const servers::reply& what) {
  std::string text{what.type};
  if (what.is_error()) return text + what.text.substr(0, what.text.find(' '));
  text += what.text;
  for (const auto& one : what.elements) text += '(' + text_of(one) + ')';
  return text;
}

inline std::string text_of(const reply& what) {
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

}  // namespace simulation
