#include "capture_servers.hpp"

#include "servers/wait.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <iterator>
#include <stdexcept>
#include <utility>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using seawall::servers::postgres_server;
using seawall::servers::tcp_proxy;

constexpr const char* slot = "chaos";
// Of the connection that reads the queue: it has the only lock of this kind.
constexpr const char* queue_reader = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted";

std::vector<std::string> config_for(bool by_triggers) {
  return {by_triggers ? "wal_level = minimal" : "wal_level = logical", "max_connections = 100",
          by_triggers ? "max_wal_senders = 0" : "max_wal_senders = 8", "max_replication_slots = 4"};
}

}  // namespace

capture_servers::capture_servers(truth& shared, diary& log)
    : log_(log),
      by_triggers_(shared.head().by_triggers.load() != 0),
      redis_(make_single(shared, log)),
      postgres_(postgres_server::start({.config = config_for(by_triggers_)})) {
  for (std::size_t i = 0; i != shared.head().processes.load(); ++i) {
    proxies_.push_back(std::make_unique<tcp_proxy>(postgres_->port()));
  }
  auto made = seawall::postgres::open({.url = postgres_->url(), .writers = 1, .readers = 1, .connect_timeout = 2s,
                                       .statement_timeout = 10s, .application_name = "watcher"});
  if (!made) throw std::runtime_error(made.error().message());
  db_ = *std::move(made);
  for (const std::string& statement :
       {std::string{"CREATE TABLE rows (id bigint PRIMARY KEY, n bigint NOT NULL)"},
        fmt::format("INSERT INTO rows SELECT i, 1 FROM generate_series(0, {}) i", shared.keys() - 1)}) {
    if (const auto done = db_->execute(statement); !done) throw std::runtime_error(done.error().message());
  }
}

// The server's own URL with the port of the proxy.
std::string capture_servers::database_url(std::size_t worker) const {
  return fmt::format("postgres://{}:{}@127.0.0.1:{}/postgres", postgres_server::user, postgres_server::password,
                     proxies_.at(worker)->port());
}

std::vector<fault> capture_servers::network_faults() {
  auto all = redis_->network_faults();
  const auto proxy = [this](std::size_t which) -> tcp_proxy& { return *proxies_[which]; };
  for (fault& one : proxy_faults(proxies_.size(), proxy, "database link of worker", 2500ms)) {
    one.name = "database " + one.name;
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<fault> capture_servers::server_faults() {
  auto all = redis_->server_faults();
  std::ranges::move(database_faults(), std::back_inserter(all));
  return all;
}

// Kills the processes of the database that the query names, or ends them in order; says how many.
std::string capture_servers::shoot(const std::string& query, int signal) {
  const auto found = db_->query<std::int64_t>(query);
  if (!found) throw std::runtime_error(found.error().message());
  for (const std::int64_t one : *found) ::kill(static_cast<pid_t>(one), signal);
  return fmt::format("{} connections", found->size());
}

std::vector<fault> capture_servers::database_faults() {
  const auto only = [](dice&) { return std::string{"database"}; };
  const auto killed = [this](dice& chance, const std::string&) {
    const std::chrono::milliseconds away{chance.one_in(3) ? 0 : chance.below(1500)};
    postgres_->kill();
    return begun{.text = fmt::format("the database is killed, and back after {} ms", away.count()),
                 .lasts = away,
                 .mend = [this] { postgres_->restart(); }};
  };
  const auto stopped = [this](dice& chance, const std::string&) {
    const std::chrono::milliseconds length{50 + chance.below(2500)};
    postgres_->pause();
    return begun{.text = fmt::format("the database is stopped for {} ms", length.count()),
                 .lasts = length,
                 .mend = [this] { postgres_->resume(); }};
  };
  const auto crashed = [this](dice&, const std::string&) {
    const auto what = shoot("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                            "AND pid <> pg_backend_pid() LIMIT 1", SIGKILL);
    return begun{.text = "the database crashes: a kill of " + what};
  };
  const auto sender_ended = [this](dice&, const std::string&) {
    return begun{.text = "the capture is thrown out: " +
                         shoot(by_triggers_ ? queue_reader : "SELECT pid FROM pg_stat_replication", SIGTERM)};
  };
  const auto all_ended = [this](dice&, const std::string&) {
    const auto what = shoot("SELECT pid FROM pg_stat_activity WHERE backend_type IN ('client backend', 'walsender') "
                            "AND pid <> pg_backend_pid()", SIGTERM);
    return begun{.text = "all are thrown out of the database: " + what};
  };
  return {{"database killed", "servers", 5, only, killed},
          {"database stopped", "servers", 3, only, stopped},
          {"database crashed", "servers", 2, only, crashed},
          {"capture thrown out", "servers", 2, only, sender_ended},
          {"all thrown out of the database", "servers", 2, only, all_ended}};
}

// A server that was killed while it recovered may have left processes behind, which it waits for in vain.
void capture_servers::heal() {
  redis_->heal();
  postgres_->resume();
  const auto answers = [this] { return db_->execute("SELECT 1").has_value(); };
  for (int tries = 3; tries != 0; --tries) {
    try {
      return seawall::servers::wait_until("the database answers", answers, 10s);
    } catch (const std::runtime_error&) {
      if (tries == 1) throw;
    }
    try {
      postgres_->restart();
    } catch (const std::runtime_error& why) {
      log_.note({}, fmt::format("the database does not come back: {}", why.what()));
    }
  }
}

bool capture_servers::says_yes(const std::string& query) {
  const auto found = db_->query_one<std::int64_t>(query);
  return found && *found && **found > 0;
}

bool capture_servers::captures() {
  if (by_triggers_) {
    return says_yes(fmt::format("SELECT count(*) FROM pg_trigger WHERE tgname = 'seawall_capture_{}' "
                                "AND EXISTS ({})", slot, queue_reader));
  }
  return says_yes(fmt::format("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{}' AND active", slot));
}

std::string capture_servers::place() {
  auto found = db_->query_one<std::string>(by_triggers_ ? "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
                                                        : "SELECT pg_current_wal_insert_lsn()");
  if (!found) throw std::runtime_error(found.error().message());
  return **std::move(found);
}

// Rows of the queue go when they are delivered. A transaction that is still open may add some.
bool capture_servers::confirmed(const std::string& place) {
  if (by_triggers_) {
    return says_yes(fmt::format("SELECT count(*) WHERE pg_snapshot_xmin(pg_current_snapshot()) >= '{}'::xid8 "
                                "AND NOT EXISTS (SELECT FROM seawall_capture_{})", place, slot));
  }
  return says_yes(fmt::format("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{}' "
                              "AND confirmed_flush_lsn >= '{}'::pg_lsn", slot, place));
}

}  // namespace chaos
