#include "redis_place.hpp"

#include <seawall/redis.hpp>
#include <seawall/tier.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace seawall::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::string_view ways_out =
    "install Redis (on Debian: the package redis-server or redis-tools), or name a server with --redis URL";

/// The clients of all processes share a few cores with the server: an answer may take longer than it would elsewhere.
constexpr auto budget = 500ms;
/// The records that entries depend on; longer than a run.
constexpr auto tag_life = 24h;

/// One program serves under several names, and looks at the name under which it was called: `directory` gets a link.
std::optional<fs::path> find_server(const fs::path& directory) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables
  if (const char* name = std::getenv("SEAWALL_REDIS_SERVER"); name != nullptr && *name != '\0') {
    return find_program(name);
  }
  if (auto found = find_program("redis-server")) return found;
  if (const auto same = find_program("redis-check-rdb")) {
    const fs::path link = directory / "redis-server";
    fs::create_symlink(*same, link);
    return link;
  }
  return find_program("valkey-server");
}

}  // namespace

result<std::shared_ptr<remote_tier>> shop_tier(const std::string& url) {
  const auto redis = redis::client::connect({.url = url});
  if (!redis) return std::unexpected(redis.error());
  return redis_tier(*redis, {.name = "shop", .budget = budget, .tag_life = tag_life});
}

std::string without_password(std::string_view url) {
  constexpr std::string_view hidden = "***";
  std::string shown(url);
  constexpr std::string_view parameter = "password=";  // of the URL of a PostgreSQL
  for (std::size_t at = 0; (at = shown.find(parameter, at)) != std::string::npos;) {
    at += parameter.size();
    shown.replace(at, std::min(shown.find('&', at), shown.size()) - at, hidden);
  }
  const std::size_t start = shown.find("://");
  const std::size_t at = shown.rfind('@');
  if (start == std::string::npos || at == std::string::npos || at < start) return shown;
  const std::size_t colon = shown.find(':', start + 3);
  if (colon == std::string::npos || colon > at) return shown;
  return shown.replace(colon + 1, at - colon - 1, hidden);
}

result<std::string> look_at_server(const std::string& url) {
  auto redis = redis::client::connect({.url = url, .command_timeout = 3s});
  if (!redis) return std::unexpected(redis.error());
  if (const auto there = redis->check(); !there) {
    return fail(errc::timed_out, fmt::format("--redis {}: no server answers there: {}; start one, or leave --redis out",
                                             without_password(url), there.error().message()));
  }
  const auto info = redis->run(cmd::info("server"));
  if (!info) return std::string{};  // a user who may not ask for it may still be one for the tier
  if (const auto valkey = info->find("valkey_version")) return fmt::format("Valkey {}", *valkey);
  return fmt::format("Redis {}", info->find("redis_version").value_or("of an unknown version"));
}

void remove_keys(const std::string& url, const std::vector<std::string>& keys) {
  auto redis = redis::client::connect({.url = url});
  if (!redis) return;
  constexpr std::size_t batch = 500;
  std::vector<cmd::command<std::int64_t>> pieces;  // one for each key: those of a cluster have different homes
  for (std::size_t first = 0; first < keys.size(); first += batch) {
    pieces.clear();
    for (std::size_t i = first; i != std::min(first + batch, keys.size()); ++i) pieces.push_back(cmd::unlink(keys[i]));
    for (const auto& removed : redis->run(pieces)) {
      if (!removed) return;
    }
  }
}

private_redis::private_redis() : directory_("Redis", "name a server with --redis URL"), url_("unix://" + socket()) {
  const auto words = command();
  server_.emplace(words, child_options{.own_group = true, .output = (directory_.path() / "redis.log").string()});
  auto redis = redis::client::connect({.url = url_, .command_timeout = 1s});
  if (!redis) throw std::runtime_error(redis.error().message());
  for (int left = 10; !redis->check(); --left) {
    if (left == 0 || !server_->running()) {
      throw std::runtime_error(
          fmt::format("a private Redis could not be started: {} {}; name a server with --redis URL", words[0],
                      server_->running() ? "does not answer" : server_->how_it_ended()));
    }
  }
}

std::vector<std::string> private_redis::command() const {
  const auto program = find_server(directory_.path());
  if (!program) {
    throw std::runtime_error(fmt::format("the processes of a run share a Redis, and there is none here: {}", ways_out));
  }
  return {program->string(), "--port", "0", "--unixsocket", socket(), "--unixsocketperm", "700", "--save", "",
          "--appendonly", "no", "--maxmemory", "2gb", "--maxmemory-policy", "volatile-ttl", "--daemonize", "no",
          "--dir", directory_.path().string()};
}

private_redis::~private_redis() { server_->end(5s); }

}  // namespace seawall::demo
