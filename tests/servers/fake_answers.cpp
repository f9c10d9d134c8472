#include "servers/fake_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace seawall::servers::answers {
namespace {

std::string upper(std::string name) {
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return name;
}

std::string name_of(const arguments& command) { return command.empty() ? "" : upper(command[0]); }

std::string bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }

std::string unknown(const arguments& command) {
  return fmt::format("-ERR unknown command '{}', with args beginning with: \r\n", command.empty() ? "" : command[0]);
}

struct little_redis {
  std::string answer(const arguments& command) {
    const auto name = name_of(command);
    if (name == "HELLO") return hello(command);
    if (name == "PING") return "+PONG\r\n";
    if (name == "ECHO" && command.size() == 2) return bulk(command[1]);
    if (name == "SELECT" || name == "AUTH" || name == "CLIENT") return "+OK\r\n";
    if (name == "SET" && command.size() >= 3) {
      data[command[1]] = command[2];
      return "+OK\r\n";
    }
    if (name == "DEL" && command.size() == 2) return fmt::format(":{}\r\n", data.erase(command[1]));
    if (name == "GET" && command.size() == 2) {
      const auto found = data.find(command[1]);
      return found != data.end() ? bulk(found->second) : "$-1\r\n";
    }
    return unknown(command);
  }

  static std::string hello(const arguments& command) {
    const bool resp3 = command.size() > 1 && command[1] == "3";
    return fmt::format("{}{}{}{}:{}\r\n{}{}{}{}", resp3 ? "%4\r\n" : "*8\r\n", bulk("server"), bulk("redis"),
                       bulk("proto"), resp3 ? 3 : 2, bulk("mode"), bulk("standalone"), bulk("role"), bulk("master"));
  }

  std::map<std::string, std::string> data;
};

}  // namespace

handler redis() {
  return [redis = std::make_shared<little_redis>()](fake_connection&, const arguments& command) {
    return redis->answer(command);
  };
}

handler always(std::string bytes) {
  return [bytes = std::move(bytes)](fake_connection&, const arguments&) { return bytes; };
}

handler http() {
  return [](fake_connection& connection, const arguments&) -> std::string {
    connection.close();
    return "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request";
  };
}

handler resp2_only(handler then) {
  return [then = std::move(then)](fake_connection& connection, const arguments& command) {
    return name_of(command) == "HELLO" ? unknown(command) : then(connection, command);
  };
}

handler loading(std::size_t times, handler then) {
  return [times, then = std::move(then)](fake_connection& connection, const arguments& command) mutable {
    const auto name = name_of(command);
    const bool served = name == "HELLO" || name == "AUTH" || name == "CLIENT" || name == "SELECT";
    if (served || times == 0) return then(connection, command);
    --times;
    return std::string{"-LOADING Redis is loading the dataset in memory\r\n"};
  };
}

handler closing_at(std::size_t which, handler then) {
  return [which, then = std::move(then)](fake_connection& connection, const arguments& command) -> std::string {
    if (connection.commands() != which) return then(connection, command);
    connection.close();
    return {};
  };
}

handler sliced(std::size_t bytes, handler then) {
  return [bytes, then = std::move(then)](fake_connection& connection, const arguments& command) {
    connection.slice(bytes);
    return then(connection, command);
  };
}

}  // namespace seawall::servers::answers
