// The scenario write-behind with a local log: a process that writes behind is killed at random points, again and again.
#include "write_behind_run.hpp"

#include "servers/wait.hpp"

#include <fmt/format.h>

#include <array>

namespace chaos {
namespace {

using kills::victim_process;

class local_killer final : public write_behind_run {
 public:
  explicit local_killer(const settings& how) : write_behind_run(how) {
    add_worlds((folder_.path() / "log-sqlite").string(), (folder_.path() / "log-postgresql").string());
  }

 private:
  // Some die while they open their log, most while they write, and some while the database is away.
  void kill_one(world& in) override {
    constexpr std::array levels{"group", "interval", "never"};
    const std::string level = how_.wrong == mischief::silent ? "memory" : levels[chance_.below(levels.size())];
    const std::uint64_t lines = chance_.one_in(8) ? 0 : chance_.below(400);
    const database_fault fault = choose_database_fault(in, lines);
    log_.note({}, fmt::format("round {}: {}, {}, after {} acknowledged writes{}", kills_ + 1,
                              in.at_server ? "PostgreSQL" : "SQLite", level, lines,
                              fault.comes ? fmt::format(", PostgreSQL after {}", fault.at) : ""));
    victim_process one{{SEAWALL_VICTIM, in.rows, in.log, std::to_string(kills_ + 1), level}};
    if (lines == 0) seawall::servers::pause_between_tries(std::chrono::milliseconds{chance_.below(40)});
    for (std::uint64_t i = 0; i <= lines; ++i) {
      if (fault.comes && i == fault.at) kill_database();
      if (i != lines) in.known.note(one.line());
    }
    if (fault.comes && fault.back_first) database_->restart();
    kill_process(in, one);
    if (fault.comes && !fault.back_first) database_->restart();
    if (lines == 0) ++while_opening_;
  }

  void print_level() const override {}
};

}  // namespace

bool run_write_behind(const settings& how) {
  if (how.level == "local_log") return local_killer{how}.all();
  return run_shared_write_behind(how);
}

}  // namespace chaos
