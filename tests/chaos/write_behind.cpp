// The scenario write-behind: a process that writes behind is killed at random points, again and again.
#include "scenario.hpp"

#include "dice.hpp"
#include "driver.hpp"
#include "schedule.hpp"

#include "servers/postgres_server.hpp"
#include "servers/temp_dir.hpp"
#include "servers/wait.hpp"
#include "write_behind/ledger.hpp"
#include "write_behind/rows.hpp"
#include "write_behind/victim_process.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using kills::victim_process;
using seawall::servers::pause_between_tries;
using seawall::servers::postgres_server;

constexpr std::uint64_t rounds_between_checks = 10;

// A log, the database that it writes to, and what was acknowledged.
struct world {
  world(std::string where, std::string to_log) : rows(std::move(where)), log(std::move(to_log)) {
    auto opened = kills::open_rows(rows);
    if (!opened) throw std::runtime_error(opened.error().message());
    db = *std::move(opened);
    if (const auto made = kills::make_tables(*db); !made) throw std::runtime_error(made.error().message());
  }

  const std::string rows;
  const std::string log;
  std::shared_ptr<seawall::sql::database> db;
  kills::ledger known;
  std::uint64_t rounds = 0;
};

class killer {
 public:
  explicit killer(const settings& how) : how_(how), chance_(how.seed), log_(how.verbose), progress_(how.verbose) {
    const std::filesystem::path& in = folder_.path();
    worlds_.push_back(std::make_unique<world>((in / "rows.db").string(), (in / "log-sqlite").string()));
    if (!seawall::servers::why_no_postgres().empty()) return;
    server_ = postgres_server::start();
    worlds_.push_back(std::make_unique<world>(server_->url(), (in / "log-postgresql").string()));
  }

  bool all() {
    while (kills_ != how_.kills && goes_on()) {
      world& in = *worlds_[worlds_.size() == 2 && chance_.one_in(3) ? 1 : 0];
      kill_one(in);
      if (++in.rounds % rounds_between_checks == 0 && goes_on()) check(in);
      if (progress_.due()) progress_.show(fmt::format("write-behind: {:.0f} s, {} of {} kills, {} writes acknowledged",
                                                      seconds(), kills_, how_.kills, acknowledged()));
    }
    for (const auto& in : worlds_) {
      in->known.from_the_beginning();
      if (goes_on() && in->rounds != 0) check(*in);
    }
    print();
    return found_.none() && failure_.empty();
  }

 private:
  bool goes_on() const { return failure_.empty() && found_.none() && !is_interrupted(); }
  double seconds() const { return log_.seconds(now()); }
  std::uint64_t acknowledged() const {
    std::uint64_t all = 0;
    for (const auto& in : worlds_) all += in->known.acknowledged();
    return all;
  }

  // Some die while they open their log, most while they write, and some while the database is away.
  void kill_one(world& in) {
    constexpr std::array levels{"group", "interval", "never"};
    const std::string level = how_.wrong == mischief::silent ? "memory" : levels[chance_.below(levels.size())];
    const std::uint64_t lines = chance_.one_in(8) ? 0 : chance_.below(400);
    const bool at_server = server_ && &in == worlds_.back().get();
    const std::uint64_t server_dies = at_server && chance_.one_in(5) ? chance_.below(lines + 1) : lines + 1;
    const bool server_first = chance_.one_in(2);
    log_.note({}, fmt::format("round {}: {}, {}, after {} acknowledged writes{}", kills_ + 1,
                              at_server ? "PostgreSQL" : "SQLite", level, lines,
                              server_dies <= lines ? fmt::format(", PostgreSQL after {}", server_dies) : ""));
    victim_process one{{SEAWALL_VICTIM, in.rows, in.log, std::to_string(kills_ + 1), level}};
    if (lines == 0) pause_between_tries(std::chrono::milliseconds{chance_.below(40)});
    for (std::uint64_t i = 0; i <= lines; ++i) {
      if (i == server_dies) kill_server();
      if (i != lines) in.known.note(one.line());
    }
    if (server_dies <= lines && server_first) server_->restart();
    one.kill();
    for (std::string left = one.line(); !left.empty(); left = one.line()) in.known.note(left);
    if (server_dies <= lines && !server_first) server_->restart();
    const int status = one.end();
    if (status != -SIGKILL) failure_ = fmt::format("a process ended by itself ({}), see above", status);
    ++kills_;
    if (lines == 0) ++while_opening_;
    if (at_server) ++with_server_;
  }

  void kill_server() {
    server_->kill();
    ++server_kills_;
  }

  // What is left in the log reaches the database; then it must have all of it.
  void check(world& in) {
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

  void print() const {
    fmt::print("\nwrite-behind: seed {}, {:.1f} s\n", how_.seed, seconds());
    fmt::print("  kills             {}; {} of them while the log was opened; {} wrote to {}, the others to SQLite\n",
               kills_, while_opening_, with_server_, server_ ? "PostgreSQL" : "PostgreSQL (there is none here)");
    fmt::print("  database kills    {}, of PostgreSQL, while a process wrote\n", server_kills_);
    fmt::print("  acknowledged      {} writes; all held against the database {} times\n", acknowledged(), checks_);
    fmt::print("  lost              {}\n  reordered         {}\n  repeated          {}\n", found_.lost,
               found_.reordered, found_.repeated);
    for (std::size_t i = 0; i != std::min<std::size_t>(found_.examples.size(), 10); ++i) {
      fmt::print("    {}\n", found_.examples[i]);
    }
    if (!failure_.empty()) fmt::print("  FAILED: {}\n", failure_);
    if (!found_.none() || !failure_.empty()) {
      fmt::print("\n  again: ./dev chaos --scenario write-behind --seed {} --kills {}\n", how_.seed, how_.kills);
    }
    std::fflush(stdout);
  }

  const settings& how_;
  dice chance_;
  diary log_;
  progress_line progress_;
  seawall::servers::temp_dir folder_{"chaos"};
  std::unique_ptr<postgres_server> server_;
  std::vector<std::unique_ptr<world>> worlds_;
  kills::findings found_;
  std::string failure_;
  std::uint64_t kills_ = 0;
  std::uint64_t while_opening_ = 0;
  std::uint64_t with_server_ = 0;
  std::uint64_t server_kills_ = 0;
  std::uint64_t checks_ = 0;
};

}  // namespace

bool run_write_behind(const settings& how) { return killer{how}.all(); }

}  // namespace chaos
