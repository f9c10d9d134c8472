// A program that writes through a write-behind into a database until it is killed.
//   write_behind_victim ROWS LOG ROUND LEVEL [SLOT]   says "ack KEY N SEQUENCE" for each acknowledged write
//   write_behind_victim ROWS LOG drain                applies what the log has left, and ends
// ROWS as open_rows takes it; its tables are there. LOG and LEVEL: a directory, and group, interval, never or memory;
// or the URL of a Redis, and redis or redis_replicated. Processes that run at the same time have slots of their own.
// Operation N of a key removes it if N ends in 9, or else stores N. Each writer has two keys: one of its slot, for the
// order over all rounds, and one of its round, which shows at the end what this round has lost.
#include "rows.hpp"

#include "seawall/cmd/streams.hpp"
#include "seawall/redis/client.hpp"
#include "servers/wait.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using kills::operation;
using seawall::result;
using seawall::servers::pause_between_tries;
using write_behind = seawall::write_behind<int, std::int64_t>;

constexpr int writers = 3;
constexpr int first_of_rounds = 1000;  // key
constexpr std::int64_t per_round = 1'000'000;
constexpr unsigned partitions = 2;

[[noreturn]] void die(const std::string& why) {
  std::fputs(("write_behind_victim: " + why + '\n').c_str(), stderr);
  std::_Exit(3);
}

struct command {
  std::string rows;
  std::string log;
  int round = 0;
  std::string level = "group";
  int slot = 0;
  bool drains = false;

  bool at_redis() const { return log.starts_with("redis"); }
  std::string stream() const { return kills::is_server(rows) ? "postgresql" : "sqlite"; }
};

command parse(const std::vector<std::string>& given) {
  const bool drains = given.size() == 3 && given[2] == "drain";
  if (!drains && given.size() != 4 && given.size() != 5) die("usage: write_behind_victim ROWS LOG ROUND LEVEL [SLOT]");
  command how{.rows = given[0], .log = given[1], .drains = drains};
  if (drains) {
    if (how.at_redis()) how.level = "redis";
    return how;
  }
  how.round = std::atoi(given[2].c_str());
  how.level = given[3];
  if (given.size() == 5) how.slot = std::atoi(given[4].c_str());
  return how;
}

// A Redis may be away for a while; what it does not take is not acknowledged, and the next operation is tried.
void write_for_ever(write_behind& writes, const command& how, int writer) {
  const std::array keys{how.slot * writers + writer, first_of_rounds + how.round * writers + writer};
  auto taken = std::chrono::steady_clock::now();
  for (std::int64_t n = how.round * per_round;; ++n) {
    for (const int key : keys) {
      const auto done = n % 10 == 9 ? writes.remove(key) : writes.put(key, n);
      const auto now = std::chrono::steady_clock::now();
      if (!done) {
        if (!how.at_redis() || now - taken > 60s) die(done.error().message());
        pause_between_tries();
        continue;
      }
      taken = now;
      const std::string line = fmt::format("ack {} {} {}\n", key, n, done->sequence);
      if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(0);
    }
  }
}

seawall::sync sync_of(const std::string& name) {
  if (name == "interval") return seawall::sync::interval;
  return name == "never" ? seawall::sync::never : seawall::sync::group;
}

void set_level(write_behind::options& to, const command& how) {
  if (how.at_redis()) {
    auto redis = seawall::redis::client::connect({.url = how.log,
                                                  .command_timeout = 500ms,
                                                  .connect_timeout = 500ms,
                                                  .backoff = {.first = 5ms, .most = 100ms}});
    if (!redis) die(redis.error().message());
    to.acknowledged =
        how.level == "redis" ? seawall::acknowledged::redis : seawall::acknowledged::redis_replicated;
    to.redis = {.client = *redis, .stream = how.stream(), .partitions = partitions, .replica_timeout = 200ms,
                .lease = 500ms, .poll = 10ms};
  } else if (how.level == "memory") {
    to.acknowledged = seawall::acknowledged::memory;
  } else {
    to.log = {.directory = how.log, .sync = sync_of(how.level), .sync_every = 20ms, .segment_bytes = 4096};
  }
}

bool is_empty(seawall::redis::client& redis, const std::string& stream) {
  for (unsigned i = 0; i != partitions; ++i) {
    const auto left = redis.run(seawall::cmd::xlen(fmt::format("{{{}:{}}}:writes", stream, i)));
    if (!left || *left != 0) return false;
  }
  return true;
}

// Its own writes, which a local log gives back; those of others leave the streams of a Redis.
void drain(write_behind& writes, const write_behind::options& opened, const command& how) {
  if (!how.at_redis()) {
    const auto done = writes.flush(60s);
    if (!done) die(done.error().message());
    return;
  }
  auto& redis = opened.redis.client.get();
  seawall::servers::wait_until("the streams are empty", [&] { return is_empty(redis, how.stream()); }, 60s);
}

}  // namespace

int main(int count, char** arguments) {
  const command how = parse({arguments + 1, arguments + count});
  const auto db = kills::open_rows(how.rows);
  if (!db) die(db.error().message());
  const auto apply = [&](std::span<const operation> batch) -> result<void> {
    auto done = kills::apply(**db, batch);
    if (!done && !kills::is_server(how.rows)) die(done.error().message());  // nobody harms a file
    return done;
  };
  write_behind::options options{.name = "victim",
                                .write = apply,
                                .batch = {.most = 8, .linger = 2ms},
                                .retry = {.longest = 200ms}};
  set_level(options, how);
  auto writes = write_behind::open(options);
  if (!writes) die(writes.error().message());
  if (how.drains) {
    try {
      drain(*writes, options, how);
    } catch (const std::exception& why) {
      die(why.what());
    }
    return 0;
  }
  std::vector<std::thread> threads;
  for (int writer = 0; writer != writers; ++writer) {
    threads.emplace_back([&, writer] { write_for_ever(*writes, how, writer); });
  }
  for (auto& thread : threads) thread.join();
}
