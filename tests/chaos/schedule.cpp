#include "schedule.hpp"

#include "servers/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <ranges>

namespace chaos {

using seawall::servers::pause_between_tries;

void diary::note(std::string_view counts_as, const std::string& what) {
  const std::lock_guard lock{mutex_};
  const std::int64_t when = now();
  lines_.emplace_back(when, fmt::format("{:8.3f} s  {}", seconds(when), what));
  if (!counts_as.empty()) ++counts_[std::string{counts_as}];
  if (prints_) fmt::print(stderr, "  {}\n", lines_.back().second);
}

std::map<std::string, std::uint64_t> diary::counts() const {
  const std::lock_guard lock{mutex_};
  return counts_;
}

std::vector<std::string> diary::before(std::int64_t when, std::size_t most) const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> found;
  for (const auto& [at, line] : lines_) {
    if (at <= when) found.push_back(line);
  }
  if (found.size() > most) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(most));
  return found;
}

void only_of(std::vector<fault>& kinds, const std::vector<std::string>& groups) {
  if (groups.empty()) return;
  std::erase_if(kinds, [&](const fault& one) { return std::ranges::find(groups, one.group) == groups.end(); });
}

schedule::schedule(std::vector<fault> kinds, std::chrono::milliseconds pause, std::uint64_t seed, diary& log,
                   std::function<void()> recover)
    : kinds_(std::move(kinds)), pause_(pause), chance_(seed), log_(log), recover_(std::move(recover)) {}

void schedule::start() {
  if (!kinds_.empty()) thread_ = std::thread{[this] { run(); }};
}

void schedule::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  mend(true);
}

void schedule::run() {
  std::int64_t next = now();
  while (!stop_) {
    mend(false);
    if (now() >= next) {
      break_something();
      const auto pause = static_cast<std::uint64_t>(pause_.count());
      // Now and then all is well for a while.
      const std::uint64_t length = chance_.one_in(12) ? pause * 8 : pause / 4 + chance_.below(pause * 3 / 2);
      next = now() + static_cast<std::int64_t>(length) * millisecond;
    }
    pause_between_tries();
  }
}

void schedule::mend(bool all) {
  while (!open_.empty() && (all || open_.begin()->first <= now())) {
    auto one = open_.extract(open_.begin());
    try {
      one.mapped().mend();
    } catch (const std::exception& why) {
      went_wrong("the end of: " + one.mapped().text, why.what());
      continue;
    }
    log_.note({}, fmt::format("over: {}", one.mapped().text));
  }
}

void schedule::break_something() {
  unsigned sum = 0;
  for (const fault& one : kinds_) sum += one.weight;
  std::uint64_t draw = chance_.below(sum);
  const auto& chosen = *std::ranges::find_if(kinds_, [&draw](const fault& one) {
    if (draw < one.weight) return true;
    draw -= one.weight;
    return false;
  });
  std::string held;
  try {
    if (chosen.holds) held = chosen.holds(chance_);
    const auto meets = [&](const begun& other) { return !held.empty() && other.holds == held; };
    if (std::ranges::any_of(open_ | std::views::values, meets)) return;
    begun what = chosen.begin(chance_, held);
    what.holds = held;
    log_.note(chosen.name, what.text);
    if (what.mend) open_.emplace(now() + what.lasts.count() * millisecond, std::move(what));
  } catch (const std::exception& why) {
    went_wrong(fmt::format("{} ({})", chosen.name, held), why.what());
  }
}

void schedule::went_wrong(const std::string& what, const char* why) {
  log_.note("not as planned", fmt::format("{} did not go as planned: {}", what, why));
  if (!recover_) return;
  try {
    recover_();
  } catch (const std::exception& still) {
    log_.note({}, fmt::format("the servers do not recover: {}", still.what()));
  }
}

}  // namespace chaos
