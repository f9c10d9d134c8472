// A program that writes through a write-behind into SQLite until it is killed.
//   write_behind_victim FOLDER ROUND log|memory     says "ack KEY N" for each acknowledged write, until killed
//   write_behind_victim FOLDER drain                applies what the log has left, and ends
// Operation N of a key removes it if N ends in 9, or else stores N. Each key has one writer.
#include "seawall/write_behind.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using seawall::result;
using batch_of = std::span<const seawall::write_operation<int, std::int64_t>>;

constexpr int writers = 3;
constexpr int keys_each = 2;
constexpr std::int64_t per_round = 1'000'000;

[[noreturn]] void die(const std::string& why) {
  std::fputs((why + '\n').c_str(), stderr);
  std::_Exit(3);
}

class database {
 public:
  explicit database(const std::string& path) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) die("cannot open " + path);
    sqlite3_busy_timeout(handle_, 10'000);
    execute("PRAGMA journal_mode = WAL");
    execute("PRAGMA synchronous = FULL");
    execute("CREATE TABLE IF NOT EXISTS rows (key INTEGER PRIMARY KEY, value INTEGER, version INTEGER NOT NULL)");
    execute("CREATE TABLE IF NOT EXISTS history (id INTEGER PRIMARY KEY, key INTEGER, value INTEGER, version INTEGER)");
    upsert_ = prepare("INSERT INTO rows VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE "
                      "SET value = excluded.value, version = excluded.version WHERE version < excluded.version");
    note_ = prepare("INSERT INTO history (key, value, version) VALUES (?1, ?2, ?3)");
  }
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database() {
    sqlite3_finalize(upsert_);
    sqlite3_finalize(note_);
    sqlite3_close(handle_);
  }

  // Every effect is noted in the same transaction.
  result<void> apply(batch_of batch) {
    execute("BEGIN IMMEDIATE");
    for (const auto& operation : batch) {
      run(upsert_, operation);
      if (sqlite3_changes(handle_) == 1) run(note_, operation);
    }
    execute("COMMIT");
    return {};
  }

 private:
  void execute(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) die(sqlite3_errmsg(handle_));
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(handle_, sql, -1, &made, nullptr) != SQLITE_OK) die(sqlite3_errmsg(handle_));
    return made;
  }
  void run(sqlite3_stmt* statement, const seawall::write_operation<int, std::int64_t>& operation) {
    sqlite3_bind_int(statement, 1, operation.key);
    if (operation.value) sqlite3_bind_int64(statement, 2, *operation.value);
    else sqlite3_bind_null(statement, 2);
    sqlite3_bind_int64(statement, 3, static_cast<sqlite3_int64>(operation.sequence));
    if (sqlite3_step(statement) != SQLITE_DONE) die(sqlite3_errmsg(handle_));
    sqlite3_reset(statement);
  }

  sqlite3* handle_ = nullptr;
  sqlite3_stmt* upsert_ = nullptr;
  sqlite3_stmt* note_ = nullptr;
};

void write_for_ever(seawall::write_behind<int, std::int64_t>& writes, int writer, std::int64_t first) {
  for (std::int64_t n = first;; ++n) {
    for (int key = writer; key < writers * keys_each; key += writers) {
      const auto done = n % 10 == 9 ? writes.remove(key) : writes.put(key, n);
      if (!done) die(done.error().message());
      const std::string line = fmt::format("ack {} {}\n", key, n);
      if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(0);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) die("usage: write_behind_victim FOLDER ROUND log|memory");
  const std::string folder = arguments[1];
  const bool drains = std::string{arguments[2]} == "drain";
  const bool logs = drains || std::string{arguments[3]} == "log";
  database db{folder + "/rows.db"};
  seawall::write_log_options log;
  if (logs) log = {.directory = folder + "/log", .segment_bytes = 4096};
  auto writes = seawall::write_behind<int, std::int64_t>::open(
      {.name = "victim",
       .write = [&](batch_of batch) { return db.apply(batch); },
       .acknowledged = logs ? seawall::acknowledged::local_log : seawall::acknowledged::memory,
       .log = log,
       .batch = {.most = 8, .linger = 2ms}});
  if (!writes) die(writes.error().message());
  if (drains) {
    const auto done = writes->flush(60s);
    if (!done) die(done.error().message());
    return 0;
  }
  std::vector<std::thread> threads;
  for (int writer = 0; writer != writers; ++writer) {
    const std::int64_t first = std::atoll(arguments[2]) * per_round;
    threads.emplace_back([&, writer, first] { write_for_ever(*writes, writer, first); });
  }
  for (auto& thread : threads) thread.join();
}
