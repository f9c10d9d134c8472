// What a write-behind has acknowledged is in the database, once and in order, however often its process is killed.
//   SEAWALL_SEEDS=1000    how many kills; SEAWALL_SEED: which random points
#include "seawall/base/random.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

extern char** environ;

namespace seawall {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  return std::getenv(name) ? std::strtoull(std::getenv(name), nullptr, 10) : otherwise;
}

// A process whose output can be read.
class victim {
 public:
  explicit victim(std::vector<std::string> arguments) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    output_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::string program = SEAWALL_VICTIM;
    std::vector<char*> pointers{program.data()};
    for (std::string& each : arguments) pointers.push_back(each.data());
    pointers.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&process_, program.c_str(), &actions, nullptr, pointers.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
  }
  victim(const victim&) = delete;
  victim& operator=(const victim&) = delete;
  ~victim() {
    ::close(output_);
    if (process_ > 0) end();
  }

  /// The next line; empty at the end of the output.
  std::string line() {
    std::size_t end = 0;
    while ((end = text_.find('\n')) == std::string::npos) {
      char piece[4096];
      const ssize_t got = ::read(output_, piece, sizeof piece);
      if (got <= 0) return {};
      text_.append(piece, static_cast<std::size_t>(got));
    }
    std::string first = text_.substr(0, end);
    text_.erase(0, end + 1);
    return first;
  }
  void kill() { ::kill(process_, SIGKILL); }
  /// Waits; the exit status, or minus the signal.
  int end() {
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t process_ = 0;
  int output_ = -1;
  std::string text_;
};

class WriteBehindKilled : public testing::Test {
 protected:
  WriteBehindKilled() {
    folder = std::filesystem::path{testing::TempDir()} / fmt::format("write_behind_killed_{}", ::getpid());
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  ~WriteBehindKilled() override { std::filesystem::remove_all(folder); }

  // Some die while they open their log, most while they write.
  void kill_one(std::uint64_t round, const char* level) {
    victim one{{folder.string(), std::to_string(round), level}};
    const std::uint64_t lines = random.next() % 8 == 0 ? 0 : random.next() % 400;
    for (std::uint64_t i = 0; i != lines; ++i) note(one.line());
    one.kill();
    for (std::string left = one.line(); !left.empty(); left = one.line()) note(left);
    ASSERT_EQ(one.end(), -SIGKILL) << "it ended by itself, see above";
    if (lines != 0) ++killed_while_writing;
  }

  void note(const std::string& line) {
    int key = 0;
    long long n = 0;
    if (std::sscanf(line.c_str(), "ack %d %lld", &key, &n) == 2) acknowledged[key] = n;
  }

  // How many keys have less than was acknowledged; fails for effects in the wrong order or twice.
  int lost() {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open((folder / "rows.db").c_str(), &db), SQLITE_OK);
    std::map<int, std::pair<std::int64_t, std::int64_t>> last;  // version and operation
    const auto step = [&](int key, bool removed, std::int64_t n, std::int64_t version) {
      auto& [seen_version, seen] = last[key];
      EXPECT_GT(version, seen_version) << "an operation of key " << key << " took effect late, or twice";
      if (removed) n = (seen / 10) * 10 + 9;  // at least
      EXPECT_TRUE(removed || n > seen) << key << ": " << n << " came after " << seen;
      seen_version = version;
      seen = std::max(n, seen);
    };
    sqlite3_stmt* rows = nullptr;
    sqlite3_prepare_v2(db, "SELECT key, value IS NULL, value, version FROM history ORDER BY id", -1, &rows, nullptr);
    while (sqlite3_step(rows) == SQLITE_ROW) {
      step(sqlite3_column_int(rows, 0), sqlite3_column_int(rows, 1) != 0, sqlite3_column_int64(rows, 2),
           sqlite3_column_int64(rows, 3));
    }
    sqlite3_finalize(rows);
    int missing = 0;
    for (const auto& [key, n] : acknowledged) {
      sqlite3_prepare_v2(db, "SELECT value FROM rows WHERE key = ?", -1, &rows, nullptr);
      sqlite3_bind_int(rows, 1, key);
      if (sqlite3_step(rows) != SQLITE_ROW) ++missing;
      else if (sqlite3_column_type(rows, 0) == SQLITE_NULL) missing += n % 10 == 9 || n % 10 == 8 ? 0 : 1;
      else missing += sqlite3_column_int64(rows, 0) >= n ? 0 : 1;
      sqlite3_finalize(rows);
    }
    sqlite3_close(db);
    return missing;
  }

  std::filesystem::path folder;
  random_source random{from_environment("SEAWALL_SEED", 1)};
  std::map<int, std::int64_t> acknowledged;  // the last operation of each key
  int killed_while_writing = 0;
};

TEST_F(WriteBehindKilled, LosesReordersAndRepeatsNothing) {
  const std::uint64_t kills = from_environment("SEAWALL_SEEDS", 30);
  for (std::uint64_t round = 1; round <= kills && !HasFailure(); ++round) {
    kill_one(round, "log");
    if (round % 10 != 0) continue;
    ASSERT_EQ((victim{{folder.string(), "drain"}}.end()), 0);
    ASSERT_EQ(lost(), 0) << "after " << round << " kills";
  }
  ASSERT_EQ((victim{{folder.string(), "drain"}}.end()), 0);
  EXPECT_EQ(lost(), 0);
  EXPECT_GT(killed_while_writing, 0);
  EXPECT_EQ(acknowledged.size(), 6U);
}

TEST_F(WriteBehindKilled, IsNoticedWhenItHasNoLog) {
  int missing = 0;
  for (std::uint64_t round = 1; round != 20 && missing == 0; ++round) {
    kill_one(round, "memory");
    missing = lost();
  }
  EXPECT_GT(missing, 0);
}

}  // namespace
}  // namespace seawall
