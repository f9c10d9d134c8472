// ./dev bench write: writes that a write-behind acknowledges, beside the same writes done directly, by as many threads.
//
//   direct                 every write is a transaction of the database
//   write-through          seawall::update: a transaction, and the cache's key invalidated after it
//   write-behind LEVEL     acknowledged at the level, applied to SQLite in batches meanwhile
//
// For the levels redis and redis_replicated it starts a Redis without persistence, and a replica of it.
// The databases are the benchmark's own, and as durable as they can be (SQLite: WAL, synchronous=FULL). Every subject
// writes the same rows: an upsert that is guarded by a version.
// Exit status: 0; 1 when a write failed, the last acknowledged write was not in the database at the end, or the rows
// could not be written; 2 for a mistake on the command line.
#include "seawall/cache.hpp"
#include "seawall/redis.hpp"
#include "seawall/sql.hpp"
#include "seawall/source/postgres.hpp"
#include "seawall/write_behind.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <seawall_bench/harness.hpp>
#include <seawall_bench/latencies.hpp>
#include <seawall_bench/private_postgres.hpp>
#include <seawall_bench/private_server.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace seawall::bench {
namespace {

using namespace std::chrono_literals;

constexpr metric ops_per_s{"ops_per_s", better::higher};
constexpr metric p50_ms{"p50_ms", better::lower};
constexpr metric p99_ms{"p99_ms", better::lower};
constexpr metric times_sqlite{"times_sqlite", better::neither};
constexpr metric times_postgresql{"times_postgresql", better::neither};
constexpr metric applied_per_s{"applied_per_s", better::higher};

constexpr const char* ours = "seawall";
constexpr const char* lite = "sqlite";
constexpr const char* postgresql = "postgresql";

struct wishes {
  int writers = 64;
  std::uint64_t keys = 100'000;
  std::size_t value_bytes = 100;
  std::string directory = "build/bench";
  std::string postgres;
  bool no_postgres = false;
};

constexpr bool is_in_redis(acknowledged level) {
  return level == acknowledged::redis || level == acknowledged::redis_replicated;
}

const char* name_of(acknowledged level) {
  if (level == acknowledged::memory) return "memory";
  if (level == acknowledged::local_log) return "local_log";
  return level == acknowledged::redis ? "redis" : "redis_replicated";
}

template <class T>
T must(result<T> done, const char* what) {
  if (done) return *std::move(done);
  throw std::runtime_error(fmt::format("{}: {}", what, done.error().message()));
}

constexpr const char* make_table =
    "CREATE TABLE items (id BIGINT PRIMARY KEY, value TEXT NOT NULL, version BIGINT NOT NULL)";
constexpr const char* lite_upsert =
    "INSERT INTO items VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET value = excluded.value, "
    "version = excluded.version WHERE items.version < excluded.version";
constexpr const char* postgres_upsert =
    "INSERT INTO items VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET value = excluded.value, "
    "version = excluded.version WHERE items.version < excluded.version";

using behind = write_behind<std::uint64_t, std::string>;

struct measured {
  double per_second = 0;
  latencies times{};
  std::uint64_t failed = 0;
  std::string failure{};
};

// `write(key, value, version)` on each thread until the time is up.
template <class Write>
measured write_all(const wishes& wished, double seconds, std::atomic<std::uint64_t>& versions, const Write& write) {
  const auto count = static_cast<std::size_t>(wished.writers);
  std::vector<latencies> times(count);
  std::vector<std::string> failures(count);
  std::atomic<std::uint64_t> failed{0};
  const auto threads = run_threads(wished.writers, seconds, [&](int index, const std::atomic<bool>& stop) {
    const auto mine = static_cast<std::size_t>(index);
    std::mt19937_64 random{mine + 1};
    std::uint64_t done = 0;
    std::string value(wished.value_bytes, 'x');
    while (!stop.load(std::memory_order_relaxed)) {
      const std::uint64_t version = versions.fetch_add(1, std::memory_order_relaxed) + 1;
      const auto begin = std::chrono::steady_clock::now();
      if (auto written = write(random() % wished.keys, value, version); written) {
        ++done;
      } else {
        failures[mine] = written.error().message();
        failed.fetch_add(1, std::memory_order_relaxed);
      }
      times[mine].add(std::chrono::steady_clock::now() - begin);
    }
    return done;
  });
  measured sum{.failed = failed.load()};
  for (std::size_t i = 0; i != count; ++i) {
    sum.per_second += static_cast<double>(threads[i].ops) / threads[i].wall;
    sum.times.add(times[i]);
    if (!failures[i].empty()) sum.failure = failures[i];
  }
  return sum;
}

struct write_run : bench_run {
  wishes wished;
  std::atomic<std::uint64_t> versions{0};
  std::filesystem::path folder{};
  std::shared_ptr<sql::database> sqlite{};
  std::shared_ptr<sql::database> postgres{};
  std::optional<private_server> redis{};
  std::optional<private_server> replica{};

  bool can(acknowledged level) const { return !is_in_redis(level) || replica; }

  void add(const std::string& name, const char* subject, const measured& seen) {
    check(seen.failed == 0, fmt::format("{}, {}: {} writes failed: {}", name, subject, seen.failed, seen.failure));
    figures.add(name, subject, wished.writers, ops_per_s, seen.per_second);
    figures.add(name, subject, wished.writers, p50_ms, 1e-3 * seen.times.microseconds(0.50));
    figures.add(name, subject, wished.writers, p99_ms, 1e-3 * seen.times.microseconds(0.99));
  }

  measured direct(sql::database& on, const char* statement) {
    return write_all(wished, how.seconds, versions,
                     [&](std::uint64_t key, const std::string& value, std::uint64_t version) {
                       return on.execute(statement, key, value, version);
                     });
  }

  measured through() {
    cache<std::uint64_t, std::string> rows{{.name = "rows", .capacity = 100'000}};
    return write_all(wished, how.seconds, versions,
                     [&](std::uint64_t id, const std::string& value, std::uint64_t version) {
                       return update(rows, id, sqlite, [&](sql::transaction& t, std::uint64_t key) {
                         return t.execute(lite_upsert, key, value, version);
                       });
                     });
  }

  result<void> apply(std::span<const behind::operation> batch) {
    return sqlite->transact([&](sql::transaction& t) -> result<void> {
      for (const behind::operation& one : batch) {
        if (auto done = t.execute(lite_upsert, one.key, *one.value, versions_before_ + one.sequence); !done) {
          return std::unexpected(std::move(done).error());
        }
      }
      return {};
    });
  }

  // A new log each time. The time to apply what is left after the last acknowledgement is not in the figures of the
  // writers, but in those of what is applied.
  measured write_behind_at(acknowledged level, double& per_second) {
    versions_before_ = versions.load();
    const auto log = folder / "log";
    std::filesystem::remove_all(log);
    // One by one: GCC 12 takes the rest of a list of fields for uninitialized.
    write_behind_options<std::uint64_t, std::string> chosen;
    chosen.name = "bench";
    chosen.write = [this](std::span<const behind::operation> batch) { return apply(batch); };
    chosen.acknowledged = level;
    chosen.most_backlog = 1'000'000;
    chosen.deadline = 60s;
    if (level == acknowledged::local_log) chosen.log.directory = log.string();
    if (is_in_redis(level)) {
      redis->ask("FLUSHALL");
      begin_anew();
      const auto url = fmt::format("redis://127.0.0.1:{}", redis->port());
      chosen.redis.client = must(redis::client::connect({.url = url, .command_timeout = 10s}), "Redis");
      chosen.redis.stream = "bench";
      chosen.redis.replica_timeout = 10s;
    }
    auto writes = must(behind::open(std::move(chosen)), "the write-behind");
    std::atomic<std::uint64_t> last{0};
    const auto begin = std::chrono::steady_clock::now();
    measured seen = write_all(wished, how.seconds, versions,
                              [&](std::uint64_t key, const std::string& value, std::uint64_t) {
                                auto done = writes.put(key, value);
                                if (done) raise(last, done->sequence);
                                return done;
                              });
    const auto flushed = writes.flush(10min);
    const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - begin;
    const auto stats = writes.stats();
    per_second = static_cast<double>(stats.applied) / whole.count();
    check(flushed.has_value(), "the write-behind could not apply everything within ten minutes");
    const std::uint64_t newest = must(newest_version(), "the newest version");
    check(newest == versions_before_ + last.load(), "the last acknowledged write is not in the database");
    if (is_in_redis(level)) begin_anew();
    else versions.store(std::max(versions.load(), newest));
    return seen;
  }

 private:
  static void raise(std::atomic<std::uint64_t>& most, std::uint64_t value) {
    std::uint64_t seen = most.load(std::memory_order_relaxed);
    while (seen < value && !most.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
    }
  }
  // Versions from Redis are greater than any others here, and could not be added to them often.
  void begin_anew() {
    must(sqlite->execute("DELETE FROM items"), "SQLite");
    versions_before_ = 0;
  }
  result<std::uint64_t> newest_version() {
    auto found = sqlite->query_one<std::uint64_t>("SELECT max(version) FROM items");
    if (!found) return std::unexpected(std::move(found).error());
    return found->value_or(0);
  }

  std::uint64_t versions_before_ = 0;
};

void measure_all(write_run& all) {
  constexpr std::array levels{acknowledged::memory, acknowledged::local_log, acknowledged::redis,
                              acknowledged::redis_replicated};
  const auto wants = [&](acknowledged level) {
    return all.can(level) && all.how.wants(fmt::format("write-behind {}", name_of(level)));
  };
  all.rounds("writes", [&](int round) {
    const bool counts = round != 0;
    double base_lite = 0;
    double base_postgres = 0;
    const bool wants_behind = std::ranges::any_of(levels, wants);
    if (all.how.wants("direct") || wants_behind) {
      const measured seen = all.direct(*all.sqlite, lite_upsert);
      base_lite = seen.per_second;
      if (counts) all.add("direct", lite, seen);
      if (all.postgres) {
        const measured other = all.direct(*all.postgres, postgres_upsert);
        base_postgres = other.per_second;
        if (counts) all.add("direct", postgresql, other);
      }
    }
    if (all.how.wants("write-through")) {
      const measured seen = all.through();
      if (counts) all.add("write-through", ours, seen);
    }
    for (const acknowledged level : levels) {
      if (!wants(level)) continue;
      const std::string name = fmt::format("write-behind {}", name_of(level));
      double applied = 0;
      const measured seen = all.write_behind_at(level, applied);
      if (!counts) continue;
      all.add(name, ours, seen);
      const auto row = [&](const metric& what, double value) {
        all.figures.add(name, ours, all.wished.writers, what, value);
      };
      row(applied_per_s, applied);
      row(times_sqlite, seen.per_second / base_lite);
      if (all.postgres) row(times_postgresql, seen.per_second / base_postgres);
    }
  });
}

std::shared_ptr<sql::database> open_postgres(const std::string& url, int writers) {
  auto db = must(postgres::open({.url = url, .writers = static_cast<std::size_t>(writers), .pool_timeout = 60s}),
                 "PostgreSQL");
  must(db->execute("DROP TABLE IF EXISTS items"), "PostgreSQL");
  must(db->execute(make_table), "PostgreSQL");
  return db;
}

void start_redis(write_run& all) {
  try {
    all.redis.emplace("", all.folder.string(), false);
    all.replica.emplace("", all.folder.string(), false);
    all.replica->ask(fmt::format("REPLICAOF 127.0.0.1 {}", all.redis->port()));
    while (all.replica->ask("INFO replication").find("master_link_status:up") == std::string::npos) {
      std::this_thread::sleep_for(10ms);
    }
  } catch (const std::runtime_error& e) {
    all.replica.reset();
    fmt::print(stderr, "note: no Redis to measure: {}\n", e.what());
  }
}

int run_all(const options& how, const wishes& wished) {
  write_run all;
  all.how = how;
  all.wished = wished;
  all.folder = std::filesystem::path{wished.directory} / "bench-write";
  std::filesystem::remove_all(all.folder);
  std::filesystem::create_directories(all.folder);
  all.sqlite = must(sqlite::open((all.folder / "items.db").string(), {.busy_timeout = 60s}), "SQLite");
  must(all.sqlite->execute(make_table), "SQLite");
  std::optional<private_postgres> server;
  if (!wished.postgres.empty()) {
    all.postgres = open_postgres(wished.postgres, wished.writers);
  } else if (!wished.no_postgres && private_postgres::available()) {
    server.emplace(all.folder);
    all.postgres = open_postgres(server->url(), wished.writers);
  } else {
    fmt::print(stderr, "note: no PostgreSQL to measure: install postgresql, or name one with --postgres\n");
  }
  start_redis(all);
  measure_all(all);
  all.sqlite.reset();
  all.postgres.reset();
  all.replica.reset();
  all.redis.reset();
  server.reset();
  std::filesystem::remove_all(all.folder);
  if (all.figures.empty()) {
    fmt::print(stderr, "error: no case has such a name; there are: direct, write-through, write-behind memory, "
                       "write-behind local_log, write-behind redis, write-behind redis_replicated\n");
    return 2;
  }
  all.figures.print();
  fmt::print("threads: writers; times_...: acknowledged writes as a multiple of the database's own\n");
  if (!all.figures.write(how.json)) return 1;
  fmt::print("rows: {}\n", how.json);
  return all.problems == 0 ? 0 : 1;
}

}  // namespace
}  // namespace seawall::bench

int main(int argc, char** argv) {
  int exit_code = 0;
  seawall::bench::wishes wished;
  const auto how = seawall::bench::parse(
      argc, argv, "write", "Write-behind and write-through beside direct writes to a database", exit_code,
      [&](CLI::App& app) {
        app.add_option("--writers", wished.writers, "threads that write")->check(CLI::Range(1, 150))
            ->capture_default_str();
        app.add_option("--keys", wished.keys, "different keys")->check(CLI::Range(1, 100'000'000))
            ->capture_default_str();
        app.add_option("--value-bytes", wished.value_bytes, "size of a value")->check(CLI::Range(1, 1'000'000))
            ->capture_default_str();
        app.add_option("--directory", wished.directory, "where the databases and the log lie, in a folder bench-write")
            ->capture_default_str();
        app.add_option("--postgres", wished.postgres, "a PostgreSQL to write to, in place of a private one: its table "
                                                      "'items' is replaced")->type_name("URL");
        app.add_flag("--no-postgres", wished.no_postgres, "without PostgreSQL");
      });
  if (!how) return exit_code;
  try {
    return seawall::bench::run_all(*how, wished);
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
