#include "driver.hpp"

#include "crew.hpp"
#include "schedule.hpp"
#include "summary.hpp"
#include "topology.hpp"

#include "servers/temp_dir.hpp"
#include "servers/wait.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using seawall::servers::pause_between_tries;

std::atomic<bool> interrupted{false};

std::unique_ptr<topology> start_servers(const std::string& which, truth& shared, diary& log) {
  if (which == "sentinel") return make_sentinel(shared, log);
  if (which == "cluster") return make_cluster(shared, log);
  return make_single(shared, log);
}

truth make_truth(const settings& how, const std::filesystem::path& file) {
  truth shared = truth::create(file, how.keys);
  auto& head = shared.head();
  head.seed.store(how.seed);
  head.processes.store(how.processes);
  head.threads.store(how.threads);
  head.writers.store(2);
  head.bound_ns.store(how.bound_ms * 1'000'000);
  head.feed.store(static_cast<std::uint64_t>(how.feed));
  head.mischief.store(static_cast<std::uint64_t>(how.wrong));
  return shared;
}

class run {
 public:
  run(const settings& how, std::string which, const std::filesystem::path& program)
      : how_(how),
        what_{.topology = std::move(which)},
        log_(how.verbose),
        shared_(make_truth(how, folder_.path() / "truth")),
        servers_(start_servers(what_.topology, shared_, log_)),
        crew_(shared_, program, folder_.path() / "truth") {}

  bool all() {
    for (std::size_t i = 0; i != how_.processes; ++i) {
      const std::string url = servers_->url(i);
      if (url.size() >= max_url) throw std::runtime_error("too many servers for the shared file");
      std::memcpy(shared_.head().state[i].url, url.c_str(), url.size() + 1);
    }
    const std::int64_t begun = now();
    crew_.start_all();
    if (!how_.reads) end_at_ = begun + static_cast<std::int64_t>(how_.seconds * 1e9);
    calm(begun);
    faults();
    what_.seconds = static_cast<double>(now() - begun) * 1e-9;
    if (what_.failure.empty() && !shared_.head().violations.load() && !interrupted) settle();
    what_.violations = count_violations(shared_, *servers_);
    if (::isatty(2)) fmt::print(stderr, "\r\033[K");
    print_summary(what_, how_, shared_, log_);
    std::fflush(stdout);
    return what_.violations == 0 && what_.failure.empty();
  }

 private:
  // Without faults, for a tenth of the time: loads of one key do not meet.
  void calm(std::int64_t begun) {
    shared_.head().is_calm.store(1);
    const double seconds = std::clamp(how_.seconds / 10, 0.3, 3.0);
    while (goes_on() && now() < begun + static_cast<std::int64_t>(seconds * 1e9)) pause_between_tries();
    what_.calm_loads = shared_.sum(tally::loads);
    shared_.head().is_calm.store(0);
  }

  void faults() {
    auto of_crew = crew_.faults();
    std::ranges::move(servers_->network_faults(), std::back_inserter(of_crew));
    auto of_servers = servers_->server_faults();
    only_of(of_crew, how_.faults);
    only_of(of_servers, how_.faults);
    schedule processes{std::move(of_crew), 400ms, how_.seed * 2, log_};
    schedule servers{std::move(of_servers), 800ms, how_.seed * 2 + 1, log_, [this] { servers_->heal(); }};
    processes.start();
    servers.start();
    while (goes_on()) pause_between_tries();
    servers.stop();
    processes.stop();
  }

  bool goes_on() {
    if (auto why = crew_.failure()) what_.failure = *why;
    if (shared_.head().violations.load() != 0 && count_violations(shared_, *servers_) != 0) return false;
    const std::uint64_t reads = shared_.sum(tally::any_reads) + shared_.sum(tally::fresh_reads);
    progress(reads);
    return !interrupted && what_.failure.empty() && (how_.reads ? reads < how_.reads : now() < end_at_);
  }

  void progress(std::uint64_t reads) {
    if (now() < shows_at_) return;
    const bool terminal = ::isatty(2) != 0 && !how_.verbose;
    fmt::print(stderr, "{}{}: {:.0f} s, {:.1f} million reads{}", terminal ? "\r\033[K" : "", what_.topology,
               log_.seconds(now()), static_cast<double>(reads) * 1e-6, terminal ? "" : "\n");
    shows_at_ = now() + (terminal ? 500 : 10'000) * millisecond;
  }

  // All faults are over: then everybody must find what the database has.
  void settle() {
    try {
      servers_->heal();
    } catch (const std::exception& why) {
      what_.failure = fmt::format("the servers do not recover: {}", why.what());
      return;
    }
    for (const phase stage : {phase::calm, phase::settle}) {
      shared_.head().stage.store(static_cast<std::uint64_t>(stage));
      if (auto why = crew_.wait_for(stage, 60s)) {
        what_.failure = *why;
        return;
      }
    }
    if (auto why = crew_.wait_for_end(30s)) what_.failure = *why;
  }

  const settings& how_;
  outcome what_;
  diary log_;
  seawall::servers::temp_dir folder_{"chaos"};
  truth shared_;
  std::unique_ptr<topology> servers_;
  crew crew_;
  std::int64_t end_at_ = 0;
  std::int64_t shows_at_ = 0;
};

}  // namespace

bool run_topology(const settings& how, const std::string& which, const std::filesystem::path& program) {
  return run{how, which, program}.all();
}

void interrupt() noexcept { interrupted = true; }
bool is_interrupted() noexcept { return interrupted; }

}  // namespace chaos
