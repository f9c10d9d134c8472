// The scenario capture: a stranger changes a database, a change_capture tells the caches, and everything is killed in
// turn. It goes in rounds: at the end of each the faults are mended, all is captured, and every process must have what
// the database has.
#include "scenario.hpp"

#include "capture_servers.hpp"
#include "capture_summary.hpp"
#include "capture_writer.hpp"
#include "crew.hpp"
#include "driver.hpp"

#include "servers/temp_dir.hpp"
#include "servers/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using seawall::servers::pause_between_tries;
using seawall::servers::wait_until;

constexpr std::size_t writers = 2;
constexpr std::uint64_t writes_of_round = 5000;

truth make_shared_truth(const settings& how, const std::filesystem::path& file) {
  truth shared = truth::create(file, how.keys);
  auto& head = shared.head();
  head.captures.store(1);
  head.by_triggers.store(how.mode == "trigger" ? 1 : 0);
  head.seed.store(how.seed);
  head.processes.store(how.processes);
  head.threads.store(how.threads);
  head.bound_ns.store(how.bound_ms * 1'000'000);
  head.mischief.store(static_cast<std::uint64_t>(how.wrong));
  return shared;
}

void set_url(char (&to)[max_url], const std::string& url) {
  if (url.size() >= max_url) throw std::runtime_error("a URL is too long for the shared file");
  std::memcpy(to, url.c_str(), url.size() + 1);
}

std::string last_of(const std::string& text) {
  constexpr std::size_t most = 4000;
  return text.size() > most ? text.substr(text.find('\n', text.size() - most) + 1) : text;
}

class capture_run {
 public:
  capture_run(const settings& how, const std::filesystem::path& program)
      : how_(how),
        log_(how.verbose),
        progress_(how.verbose),
        shared_(make_shared_truth(how, folder_.path() / "truth")),
        servers_(shared_, log_),
        crew_(shared_, program, folder_.path() / "truth") {
    for (std::size_t i = 0; i != how.processes; ++i) {
      set_url(shared_.head().state[i].url, servers_.redis_url(i));
      set_url(shared_.head().state[i].database, servers_.database_url(i));
    }
    for (std::size_t i = 0; i != writers; ++i) writers_.emplace_back(shared_, servers_.direct_url(), i, writers);
  }

  bool all() {
    crew_.start_all();
    wait_until("the capture reads", [this] {
      stop_if_failed();
      return is_interrupted() || servers_.captures();
    });
    const std::uint64_t rounds = std::max<std::uint64_t>((how_.writes + writes_of_round - 1) / writes_of_round, 2);
    for (std::uint64_t one = 1; one <= rounds && goes_on(); ++one) {
      try {
        round(one, how_.writes * one / rounds - how_.writes * (one - 1) / rounds);
      } catch (const std::exception& why) {
        failure_ = why.what();
      }
    }
    shared_.head().stage.store(static_cast<std::uint64_t>(phase::over));
    if (auto why = crew_.wait_for_end(30s); why && failure_.empty()) failure_ = *why;
    print_capture(how_, shared_, log_, writers_, failure_);
    const bool held = failure_.empty() && shared_.head().violations.load() == 0;
    if (!held) fmt::print("\n  what the capture said last:\n{}\n", last_of(crew_.printed(0)));
    std::fflush(stdout);
    return held;
  }

 private:
  bool goes_on() const { return failure_.empty() && shared_.head().violations.load() == 0 && !is_interrupted(); }
  void stop_if_failed() {
    if (auto why = crew_.failure()) throw std::runtime_error(*why);
  }

  // A fifth of the writes meets no faults.
  void round(std::uint64_t number, std::uint64_t writes) {
    const auto quiet = static_cast<std::int64_t>(writes - writes / 5);
    std::atomic<std::int64_t> left{static_cast<std::int64_t>(writes)};
    std::vector<std::jthread> threads;
    for (capture_writer& one : writers_) threads.emplace_back([&left, &one] { one.write(left); });
    try {
      while (left > quiet && goes_on()) watch(left);
      if (goes_on()) faults(number, left);
      if (!goes_on()) left = 0;
      servers_.heal();
    } catch (const std::exception& why) {
      failure_ = why.what();
      left = 0;
      shared_.head().stage.store(static_cast<std::uint64_t>(phase::over));  // for writers that wait for the database
    }
    for (auto& one : threads) one.join();
    if (goes_on()) check(number);
  }

  void faults(std::uint64_t number, const std::atomic<std::int64_t>& left) {
    auto of_processes = crew_.faults();
    std::ranges::move(capturer_faults(), std::back_inserter(of_processes));
    std::ranges::move(servers_.network_faults(), std::back_inserter(of_processes));
    auto of_servers = servers_.server_faults();
    for (auto* kinds : {&of_processes, &of_servers}) {
      only_of(*kinds, how_.faults);
      for (fault& one : *kinds) one = watched(std::move(one));
    }
    const std::uint64_t seed = (how_.seed * 1000 + number) * 2;
    const auto recover = [this] { servers_.heal(); };
    schedule processes{std::move(of_processes), 400ms, seed, log_};
    schedule servers{std::move(of_servers), 1200ms, seed + 1, log_, recover};
    processes.start();
    servers.start();
    while (left > 0 && goes_on()) watch(left);
    servers.stop();
    processes.stop();
  }

  void watch(const std::atomic<std::int64_t>& left) {
    stop_if_failed();
    if (progress_.due()) {
      std::uint64_t open = static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0));
      progress_.show(fmt::format("capture: {:.0f} s, round {}, {} writes of it are left", log_.seconds(now()),
                                 shared_.head().round.load() + 1, open));
    }
    pause_between_tries();
  }

  // Whether a fault is near is written down for those who measure.
  fault watched(fault kind) {
    auto& head = shared_.head();
    const auto over = [&head] {
      head.fault_ended.store(now());
      --head.faults_open;
    };
    kind.begin = [&head, over, begin = std::move(kind.begin)](dice& chance, const std::string& held) {
      ++head.faults_open;
      try {
        begun what = begin(chance, held);
        if (!what.mend) over();
        else what.mend = [over, mend = std::move(what.mend)] {
          const std::shared_ptr<void> at_end{nullptr, [over](void*) { over(); }};
          mend();
        };
        return what;
      } catch (...) {
        over();
        throw;
      }
    };
    return kind;
  }

  // The process that captures is harmed more often than others.
  std::vector<fault> capturer_faults() {
    const auto first = [](dice&) { return std::string{"worker 0"}; };
    const auto killing = [this](dice& chance, const std::string&) {
      const std::chrono::milliseconds length{chance.below(1500)};
      crew_.kill(0);
      return begun{.text = fmt::format("the capture is killed, and started after {} ms", length.count()),
                   .lasts = length,
                   .mend = [this] { crew_.start(0); }};
    };
    const auto freezing = [this](dice& chance, const std::string&) {
      const std::chrono::milliseconds length{50 + chance.below(4000)};
      crew_.freeze(0);
      return begun{.text = fmt::format("the capture is stopped for {} ms", length.count()),
                   .lasts = length,
                   .mend = [this] { crew_.thaw(0); }};
    };
    // What it knows and could not tell dies with it.
    const auto silencing = [this](dice& chance, const std::string&) {
      const std::chrono::milliseconds length{100 + chance.below(2000)};
      servers_.redis_link(0).drop();
      return begun{.text = fmt::format("the capture cannot reach Redis for {} ms, and is killed", length.count()),
                   .lasts = length,
                   .mend = [this] {
                     crew_.kill(0);
                     servers_.redis_link(0).release();
                     crew_.start(0);
                   }};
    };
    return {{"capture killed", "processes", 4, first, killing},
            {"capture stopped", "processes", 3, first, freezing},
            {"capture killed when it could not reach Redis", "processes", 4, first, silencing}};
  }

  void check(std::uint64_t number) {
    wait_until("all is captured and delivered", [this, place = servers_.place()] {
      stop_if_failed();
      return is_interrupted() || servers_.confirmed(place);
    }, 60s);
    shared_.head().round.store(number);
    wait_until("all processes have checked what they have", [this, number] {
      stop_if_failed();
      const auto& all = shared_.head().state;
      return is_interrupted() || std::all_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(how_.processes),
                                             [number](const auto& one) { return one.checked.load() == number; });
    }, 120s);
  }

  const settings& how_;
  diary log_;
  progress_line progress_;
  seawall::servers::temp_dir folder_{"chaos"};
  truth shared_;
  capture_servers servers_;
  crew crew_;
  std::vector<capture_writer> writers_;
  std::string failure_;
};

}  // namespace

bool run_capture(const settings& how, const std::filesystem::path& program) { return capture_run{how, program}.all(); }

}  // namespace chaos
