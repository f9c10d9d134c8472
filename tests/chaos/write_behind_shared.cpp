// The scenario write-behind with a log in Redis: two processes write, and one of them drains; they are killed in turn,
// or stopped for longer than a lease, and Redis is killed.
#include "write_behind_run.hpp"
#include "write_servers.hpp"

#include "servers/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using kills::victim_process;
using seawall::servers::pause_between_tries;

constexpr std::uint64_t rounds_of_a_redis_kill = 6;
constexpr std::uint64_t never_comes = ~std::uint64_t{0};

class shared_killer final : public write_behind_run {
 public:
  explicit shared_killer(const settings& how)
      : write_behind_run(how),
        redis_(how.level == "redis" ? make_appending_server(how.wrong != mischief::silent)
                                    : make_replicated_servers()) {
    add_worlds(redis_->url(), redis_->url());
  }

 private:
  // What comes in a round, by the number of acknowledged writes.
  struct plan {
    std::uint64_t lines = 0;
    std::uint64_t redis_at = never_comes;
    bool redis_stays_away = false;  // until the process is killed
    std::uint64_t other_stops_at = never_comes;
    database_fault database = {};
  };

  plan choose(const world& in) {
    plan what{.lines = chance_.one_in(8) ? 0 : chance_.below(200)};
    if (kills_ % rounds_of_a_redis_kill == 2) what.redis_at = chance_.below(what.lines + 1);  // in short runs, too
    what.redis_stays_away = chance_.one_in(2);
    if (chance_.one_in(8)) what.other_stops_at = chance_.below(what.lines + 1);
    what.database = choose_database_fault(in, what.lines);
    if (what.redis_stays_away) what.database.at = std::min(what.database.at, what.redis_at);  // the last that comes
    return what;
  }

  void kill_one(world& in) override {
    const plan what = choose(in);
    const std::size_t chosen = chance_.below(running_.size());
    const bool is_new = !running_[chosen];
    for (std::size_t i = 0; i != running_.size(); ++i) start(in, i);
    log_.note({}, fmt::format("round {}: {}, process {}, after {} acknowledged writes", kills_ + 1,
                              in.at_server ? "PostgreSQL" : "SQLite", chosen, what.lines));
    if (what.lines == 0) pause_between_tries(std::chrono::milliseconds{chance_.below(40)});
    else note_what_is_said(in);
    const bool away = go_through(in, what, chosen);
    if (what.database.comes && what.database.back_first) database_->restart();
    kill_process(in, *running_[chosen]);
    running_[chosen].reset();
    if (what.database.comes && !what.database.back_first) database_->restart();
    if (away) redis_->revive();
    if (what.lines == 0 && is_new) ++while_opening_;
  }

  void start(world& in, std::size_t which) {
    if (running_[which]) return;
    running_[which] = std::make_unique<victim_process>(std::vector<std::string>{
        SEAWALL_VICTIM, in.rows, in.log, std::to_string(++started_), how_.level, std::to_string(which)});
  }

  // Whether Redis is away at its end.
  bool go_through(world& in, const plan& what, std::size_t chosen) {
    for (std::uint64_t i = 0; i <= what.lines; ++i) {
      if (what.database.comes && i == what.database.at) kill_database();
      if (i == what.other_stops_at) stop_for_a_while(*running_[1 - chosen]);
      if (i == what.redis_at) {
        const std::string which = redis_->kill(chance_);
        ++redis_kills_[which];
        log_.note({}, fmt::format("round {}: {} is killed", kills_ + 1, which));
        if (what.redis_stays_away) return true;
        pause_between_tries(std::chrono::milliseconds{chance_.below(300)});
        redis_->revive();
      }
      if (i == what.lines) break;
      in.known.note(running_[chosen]->line());
      note_what_is_said(in);
    }
    return false;
  }

  // So that nobody waits for its reader.
  void note_what_is_said(world& in) {
    for (const auto& one : running_) {
      while (one && one->has_line()) {
        const std::string line = one->line();
        if (line.empty()) break;
        in.known.note(line);
      }
    }
  }

  // It may have a lease, and be in the middle of a batch.
  void stop_for_a_while(const victim_process& one) {
    one.stop();
    pause_between_tries(std::chrono::milliseconds{300 + chance_.below(700)});
    one.go_on();
    ++stops_;
  }

  void rest(world& in) override {
    for (auto& one : running_) {
      if (one) kill_process(in, *one);
      one.reset();
    }
  }

  void print_level() const override {
    fmt::print("  Redis kills       ");
    for (const auto& [which, count] : redis_kills_) fmt::print("{} of {}; ", count, which);
    fmt::print("{} stops of the other process, for 0.3 to 1 s; a lease is 0.5 s\n", stops_);
    fmt::print("  relies on         {}\n",
               how_.wrong == mischief::silent ? "a Redis that keeps nothing" : redis_->keeps());
  }

  std::unique_ptr<write_servers> redis_;
  std::array<std::unique_ptr<victim_process>, 2> running_;  // all write to one world
  std::uint64_t started_ = 0;
  std::map<std::string, std::uint64_t> redis_kills_;
  std::uint64_t stops_ = 0;
};

}  // namespace

bool run_shared_write_behind(const settings& how) {
  if (how.wrong == mischief::silent && how.level != "redis") {
    throw std::runtime_error("--break silent is of the levels local_log and redis");
  }
  return shared_killer{how}.all();
}

}  // namespace chaos
