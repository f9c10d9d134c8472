#include "write_behind_run.hpp"

#include "driver.hpp"

#include "write_behind/rows.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace chaos {
namespace {

using kills::victim_process;
using seawall::servers::postgres_server;

constexpr std::uint64_t rounds_between_checks = 10;

}  // namespace

write_behind_run::world::world(std::string where, std::string to_log)
    : rows(std::move(where)), log(std::move(to_log)), at_server(kills::is_server(rows)) {
  auto opened = kills::open_rows(rows);
  if (!opened) throw std::runtime_error(opened.error().message());
  db = *std::move(opened);
  if (const auto made = kills::make_tables(*db); !made) throw std::runtime_error(made.error().message());
}

write_behind_run::write_behind_run(const settings& how)
    : how_(how), chance_(how.seed), log_(how.verbose), progress_(how.verbose) {
  if (seawall::servers::why_no_postgres().empty()) database_ = postgres_server::start();
}

void write_behind_run::add_worlds(const std::string& log_of_sqlite, const std::string& log_of_server) {
  worlds_.push_back(std::make_unique<world>((folder_.path() / "rows.db").string(), log_of_sqlite));
  if (database_) worlds_.push_back(std::make_unique<world>(database_->url(), log_of_server));
}

// A third of the rounds is for the server; the world changes when all is checked.
bool write_behind_run::all() {
  std::uint64_t turn = 0;
  while (kills_ != how_.kills && goes_on()) {
    world& in = *worlds_[worlds_.size() == 2 && turn % 3 == 1 ? 1 : 0];
    kill_one(in);
    ++kills_;
    if (in.at_server) ++with_server_;
    if (++in.rounds % rounds_between_checks == 0 && goes_on()) {
      check(in);
      ++turn;
    }
    if (progress_.due()) {
      progress_.show(fmt::format("write-behind, {}: {:.0f} s, {} of {} kills, {} writes acknowledged", how_.level,
                                 log_.seconds(now()), kills_, how_.kills, acknowledged()));
    }
  }
  for (const auto& in : worlds_) {
    in->known.from_the_beginning();
    if (goes_on() && in->rounds != 0) check(*in);
  }
  print();
  return found_.none() && failure_.empty();
}

bool write_behind_run::goes_on() const { return failure_.empty() && found_.none() && !is_interrupted(); }

std::uint64_t write_behind_run::acknowledged() const {
  std::uint64_t all = 0;
  for (const auto& in : worlds_) all += in->known.acknowledged();
  return all;
}

auto write_behind_run::choose_database_fault(const world& in, std::uint64_t lines) -> database_fault {
  if (!in.at_server || !chance_.one_in(5)) return {};
  return {.at = chance_.below(lines + 1), .comes = true, .back_first = chance_.one_in(2)};
}

void write_behind_run::kill_database() {
  database_->kill();
  ++database_kills_;
}

void write_behind_run::kill_process(world& in, victim_process& one) {
  one.kill();
  for (std::string left = one.line(); !left.empty(); left = one.line()) in.known.note(left);
  const int status = one.end();
  if (status != -SIGKILL) failure_ = fmt::format("a process ended by itself ({}), see above", status);
}

// What is left in the log reaches the database; then it must have all of it.
void write_behind_run::check(world& in) {
  rest(in);
  if (!goes_on()) return;
  if (victim_process{{SEAWALL_VICTIM, in.rows, in.log, "drain"}}.end() != 0) {
    failure_ = "what the log has does not reach the database, see above";
    return;
  }
  kills::findings now_found = in.known.check(*in.db);
  ++checks_;
  found_.lost += now_found.lost;
  found_.reordered += now_found.reordered;
  found_.repeated += now_found.repeated;
  std::ranges::move(now_found.examples, std::back_inserter(found_.examples));
}

void write_behind_run::print() const {
  fmt::print("\nwrite-behind, {}: seed {}, {:.1f} s\n", how_.level, how_.seed, log_.seconds(now()));
  fmt::print("  kills             {}; {} of them while the log was opened; {} wrote to {}, the others to SQLite\n",
             kills_, while_opening_, with_server_, database_ ? "PostgreSQL" : "PostgreSQL (there is none here)");
  print_level();
  fmt::print("  database kills    {}, of PostgreSQL, while a process wrote\n", database_kills_);
  fmt::print("  acknowledged      {} writes; all held against the database {} times\n", acknowledged(), checks_);
  fmt::print("  lost              {}\n  reordered         {}\n  repeated          {}\n", found_.lost, found_.reordered,
             found_.repeated);
  for (std::size_t i = 0; i != std::min<std::size_t>(found_.examples.size(), 10); ++i) {
    fmt::print("    {}\n", found_.examples[i]);
  }
  if (!failure_.empty()) fmt::print("  FAILED: {}\n", failure_);
  if (!found_.none() || !failure_.empty()) {
    fmt::print("\n  again: ./dev chaos --scenario write-behind --level {} --seed {} --kills {}\n", how_.level,
               how_.seed, how_.kills);
  }
  std::fflush(stdout);
}

}  // namespace chaos
