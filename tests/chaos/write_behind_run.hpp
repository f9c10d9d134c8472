// write_behind_run: what the levels of the scenario write-behind have in common: databases, processes that write to
// them and are killed, and what was acknowledged, which is held against what the databases have.
#pragma once

#include "dice.hpp"
#include "scenario.hpp"
#include "schedule.hpp"
#include "settings.hpp"

#include "servers/postgres_server.hpp"
#include "servers/temp_dir.hpp"
#include "write_behind/ledger.hpp"
#include "write_behind/victim_process.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace chaos {

/// Everything throws std::runtime_error.
class write_behind_run {
 public:
  write_behind_run(const write_behind_run&) = delete;
  write_behind_run& operator=(const write_behind_run&) = delete;
  virtual ~write_behind_run() = default;

  /// All kills, the checks, and the summary. Whether every promise held.
  bool all();

 protected:
  // A log, the database that it is for, and what was acknowledged.
  struct world {
    world(std::string where, std::string to_log);

    const std::string rows;
    const std::string log;
    const bool at_server;
    std::shared_ptr<seawall::sql::database> db;
    kills::ledger known;
    std::uint64_t rounds = 0;
  };
  // Of a PostgreSQL in one round: when, by the number of acknowledged writes, and whether it is back before the process
  // is killed.
  struct database_fault {
    std::uint64_t at = 0;
    bool comes = false;
    bool back_first = false;
  };

  explicit write_behind_run(const settings& how);
  /// One for SQLite, and one for PostgreSQL, if it is there.
  void add_worlds(const std::string& log_of_sqlite, const std::string& log_of_server);

  /// A round: begins, or goes on with, a process, and kills it.
  virtual void kill_one(world& in) = 0;
  /// Afterwards no process writes, and all servers serve.
  virtual void rest(world&) {}
  /// Lines of the summary, behind that of the kills.
  virtual void print_level() const = 0;

  bool goes_on() const;
  database_fault choose_database_fault(const world& in, std::uint64_t lines);
  void kill_database();
  /// What it has said is noted, up to its end. Fails the run if it was not the kill that ended it.
  void kill_process(world& in, kills::victim_process& one);

  const settings& how_;
  dice chance_;
  diary log_;
  seawall::servers::temp_dir folder_{"chaos"};
  std::unique_ptr<seawall::servers::postgres_server> database_;
  std::uint64_t kills_ = 0;
  std::uint64_t while_opening_ = 0;

 private:
  std::uint64_t acknowledged() const;
  void check(world& in);
  void print() const;

  progress_line progress_;
  std::vector<std::unique_ptr<world>> worlds_;
  kills::findings found_;
  std::string failure_;
  std::uint64_t with_server_ = 0;
  std::uint64_t database_kills_ = 0;
  std::uint64_t checks_ = 0;
};

}  // namespace chaos
