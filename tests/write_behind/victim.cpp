// A program that writes through a write-behind into a database until it is killed.
//   write_behind_victim ROWS LOG ROUND group|interval|never|memory   says "ack KEY N" for each acknowledged write
//   write_behind_victim ROWS LOG drain                               applies what the log has left, and ends
// ROWS as open_rows takes it; its tables are there. Operation N of a key removes it if N ends in 9, or else stores N.
// Each key has one writer.
#include "rows.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using kills::operation;
using seawall::result;
using write_behind = seawall::write_behind<int, std::int64_t>;

constexpr int writers = 3;
constexpr int keys_each = 2;
constexpr std::int64_t per_round = 1'000'000;

[[noreturn]] void die(const std::string& why) {
  std::fputs(("write_behind_victim: " + why + '\n').c_str(), stderr);
  std::_Exit(3);
}

void write_for_ever(write_behind& writes, int writer, std::int64_t first) {
  for (std::int64_t n = first;; ++n) {
    for (int key = writer; key < writers * keys_each; key += writers) {
      const auto done = n % 10 == 9 ? writes.remove(key) : writes.put(key, n);
      if (!done) die(done.error().message());
      const std::string line = fmt::format("ack {} {}\n", key, n);
      if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(0);
    }
  }
}

seawall::sync sync_of(const std::string& name) {
  if (name == "interval") return seawall::sync::interval;
  return name == "never" ? seawall::sync::never : seawall::sync::group;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> given{arguments + 1, arguments + count};
  const bool drains = given.size() == 3 && given[2] == "drain";
  if (!drains && given.size() != 4) die("usage: write_behind_victim ROWS LOG ROUND group|interval|never|memory");
  const std::string how = drains ? "group" : given[3];
  const auto db = kills::open_rows(given[0]);
  if (!db) die(db.error().message());
  const auto apply = [&](std::span<const operation> batch) -> result<void> {
    auto done = kills::apply(**db, batch);
    if (!done && !kills::is_server(given[0])) die(done.error().message());  // nobody harms a file
    return done;
  };
  seawall::write_log_options log;
  const bool logs = how != "memory";
  if (logs) log = {.directory = given[1], .sync = sync_of(how), .sync_every = 20ms, .segment_bytes = 4096};
  auto writes = write_behind::open(
      {.name = "victim",
       .write = apply,
       .acknowledged = logs ? seawall::acknowledged::local_log : seawall::acknowledged::memory,
       .log = log,
       .batch = {.most = 8, .linger = 2ms},
       .retry = {.longest = 200ms}});
  if (!writes) die(writes.error().message());
  if (drains) {
    const auto done = writes->flush(60s);
    if (!done) die(done.error().message());
    return 0;
  }
  std::vector<std::thread> threads;
  for (int writer = 0; writer != writers; ++writer) {
    const std::int64_t first = std::atoll(given[2].c_str()) * per_round;
    threads.emplace_back([&, writer, first] { write_for_ever(*writes, writer, first); });
  }
  for (auto& thread : threads) thread.join();
}
