// ./dev bench tiers: a cache with a shared tier beside a hand-written cache-aside over the same Redis client.
//
// The server is the benchmark's own, on the loopback; other processes are the benchmark's own program. Each round
// measures every subject, so the noise of the machine falls on all alike.
// Exit status: 0; 1 when there is no server, an answer was wrong, Seawall loaded more than once in a herd, or the rows
// could not be written; 2 for a mistake on the command line.
#include "bench/callers.hpp"
#include "bench/herd.hpp"
#include "bench/subjects.hpp"
#include "bench/worker.hpp"
#include "seawall/local_cache.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <seawall_bench/harness.hpp>
#include <seawall_bench/private_server.hpp>

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace seawall::bench {
namespace {

constexpr metric p50_us{"p50_us", better::lower};
constexpr metric p99_us{"p99_us", better::lower};
constexpr metric ops_per_s{"ops_per_s", better::higher};
constexpr metric server_cpu{"server_cpu_us_per_op", better::lower};
constexpr metric client_cpu{"client_cpu_us_per_op", better::lower};
constexpr metric loads{"loads", better::lower};
constexpr metric loads_each{"loads", better::neither};  // where each call loads, more loads are more calls
constexpr metric over_engine{"ns_over_engine", better::neither};
constexpr metric times_hand{"p50_times_hand", better::neither};

constexpr std::uint64_t resident = 10'000;  // keys of l1-hit: the first ones
constexpr std::size_t room = 200'000;       // entries of a cache

struct wishes {
  std::string server;
  std::string worker;
  std::uint16_t port = 0;
};

// What all cases share: the server, and the two subjects in this process.
struct tiers_run : bench_run {
  private_server& server;
  asio::io_context& context;
  seawall_subject& ours;
  hand_written& theirs;
  std::uint64_t next_key = resident;  // no key is used twice

  key_range fresh_keys(double a_second) {
    const auto count = static_cast<std::uint64_t>(a_second * how.seconds) + 1000;
    next_key += count;
    return {next_key - count, next_key};
  }

  void add(const std::string& name, const char* subject, int callers, const measured& seen, double server_cpu_s) {
    const auto row = [&](const metric& what, double value) { figures.add(name, subject, callers, what, value); };
    row(p50_us, seen.times.microseconds(0.50));
    row(p99_us, seen.times.microseconds(0.99));
    row(ops_per_s, static_cast<double>(seen.ops) / seen.seconds);
    row(server_cpu, 1e6 * server_cpu_s / static_cast<double>(seen.ops));
    row(client_cpu, 1e6 * seen.cpu / static_cast<double>(seen.ops));
  }
};

// ---- hits in the process ----

// By Zipf's law, exponent 0.99. Few enough not to push what is measured out of the processor's caches.
std::vector<std::uint32_t> draw_keys() {
  std::vector<double> up_to(resident);
  double sum = 0;
  for (std::size_t i = 0; i != up_to.size(); ++i) up_to[i] = sum += std::pow(static_cast<double>(i + 1), -0.99);
  std::mt19937_64 random{1};
  std::uniform_real_distribution<double> draw{0, sum};
  std::vector<std::uint32_t> keys(std::size_t{1} << 14);
  for (auto& key : keys) {
    const auto rank = std::upper_bound(up_to.begin(), up_to.end() - 1, draw(random)) - up_to.begin();
    key = static_cast<std::uint32_t>(rank);
  }
  return keys;
}

// One thread asks for keys that are all there; one of 256 calls is timed by itself.
template <class Call>
measured hot_loop(double seconds, double& cpu_ns, double& wall_ns, const Call& call) {
  static const std::vector<std::uint32_t> keys = draw_keys();
  measured sum{.cpu = -process_cpu()};
  const auto threads = run_threads(1, seconds, [&](int, const std::atomic<bool>& stop) {
    for (std::size_t at = 0; !stop.load(std::memory_order_relaxed);) {
      const auto begin = std::chrono::steady_clock::now();
      if (!call(keys[at & (keys.size() - 1)])) ++sum.wrong;
      sum.times.add(std::chrono::steady_clock::now() - begin);
      for (const std::size_t end = at++ + 256; at != end; ++at) {
        if (!call(keys[at & (keys.size() - 1)])) ++sum.wrong;
      }
      sum.ops = at;
    }
    return sum.ops;
  });
  sum.cpu += process_cpu();
  sum.seconds = threads[0].wall;
  cpu_ns = 1e9 * threads[0].cpu / static_cast<double>(sum.ops);
  wall_ns = 1e9 * threads[0].wall / static_cast<double>(sum.ops);
  return sum;
}

void l1_hits(tiers_run& all) {
  const std::string name = "l1-hit";
  if (!all.how.wants(name)) return;
  seawall_subject::cache_type alone{{.name = "alone", .capacity = room, .ttl = value_ttl, .jitter = 0}};
  local_cache<std::uint64_t, value_ptr<std::string>> engine{{.name = "engine", .capacity = room, .ttl = value_ttl}};
  for (std::uint64_t key = 0; key != resident; ++key) {
    all.ours.ask(key);
    alone.put(key, make_value(key));
    engine.put(key, std::make_shared<const std::string>(make_value(key)));
  }
  all.ours.wait_for_fills(all.ours.loads());
  all.theirs.fill(0, resident);
  quick_source none;
  std::uint64_t wrong = 0;
  std::uint64_t asked_tier = 0;
  const auto measure = [&](const char* subject, bool counts, const auto& call) {
    double cpu_ns = 0;
    double wall_ns = 0;
    const double before = all.server.cpu_seconds();
    const measured seen = hot_loop(all.how.seconds, cpu_ns, wall_ns, call);
    const double server_cpu_s = all.server.cpu_seconds() - before;
    wrong += seen.wrong;
    if (!counts) return cpu_ns;
    all.add(name, subject, 1, seen, server_cpu_s);
    all.figures.add(name, subject, 1, ns_per_op, wall_ns);
    all.figures.add(name, subject, 1, cpu_ns_per_op, cpu_ns);
    return cpu_ns;
  };
  const auto measure_subject = [&](auto& subject, bool counts) {
    const std::uint64_t loaded = subject.loads();
    const double cpu_ns = measure(subject.name, counts, [&](std::uint64_t key) { return subject.ask(key); });
    if (counts) all.figures.add(name, subject.name, 1, loads, static_cast<double>(subject.loads() - loaded));
    return cpu_ns;
  };
  all.rounds(name, [&](int round) {
    const bool counts = round != 0;
    const std::uint64_t before = all.ours.tier_reads();
    const double ours = measure_subject(all.ours, counts);
    if (counts) asked_tier += all.ours.tier_reads() - before;
    measure_subject(all.theirs, counts);
    const double single = measure("no tier", counts, [&](std::uint64_t key) {
      return is_value(alone.get_or_load(key, none), key);
    });
    const double bare = measure("engine", counts, [&](std::uint64_t key) {
      const auto found = engine.get(key);
      return found && is_value(**found, key);
    });
    if (!counts) return;
    all.figures.add(name, seawall_subject::name, 1, over_engine, ours - bare);
    all.figures.add(name, "no tier", 1, over_engine, single - bare);
  });
  all.check(wrong == 0 && none.loads == 0, fmt::format("{}: {} answers were wrong", name, wrong));
  if (asked_tier != 0) {
    fmt::print(stderr, "note: {} reads of l1-hit went to the shared tier: the machine was too busy for the feed's "
                       "signs of life, or something was evicted\n", asked_tier);
  }
}

// ---- hits of the shared tier, misses ----

// Every key is asked for once. With `filler`, which is another process, the values are in the tier before.
void round_trips(tiers_run& all, const std::string& name, worker* filler, int callers) {
  if (!all.how.wants(name)) return;
  // What the fastest machine may get through; a measurement ends early when it has used them up.
  const double rate = callers == 1 ? 60e3 : 250e3;
  const auto measure = [&](auto& subject, bool counts, key_range keys) {
    const std::uint64_t loaded = subject.loads();
    const double before = all.server.cpu_seconds();
    const measured seen = callers == 1 ? ask_one_by_one(subject, keys, all.how.seconds)
                                       : ask_at_once(subject, all.context, callers, keys, all.how.seconds);
    const double server_cpu_s = all.server.cpu_seconds() - before;
    all.check(seen.wrong == 0, fmt::format("{}: {} answers of {} were wrong", name, seen.wrong, subject.name));
    const double p50 = seen.times.microseconds(0.50);
    if (!counts) return p50;
    all.add(name, subject.name, callers, seen, server_cpu_s);
    const std::uint64_t loads_now = subject.loads() - loaded;
    const metric& what = filler != nullptr ? loads : loads_each;
    all.figures.add(name, subject.name, callers, what, static_cast<double>(loads_now));
    const bool once_each = filler != nullptr || loads_now == seen.ops;
    all.check(once_each, fmt::format("{}: {} loads, {} misses", name, loads_now, seen.ops));
    return p50;
  };
  all.rounds(fmt::format("{}, callers: {}", name, callers), [&](int round) {
    const key_range keys = all.fresh_keys(rate);
    if (filler != nullptr) {
      filler->say(fmt::format("fill {} {}", keys.next, keys.last));
      filler->hear("filled");
      all.theirs.fill(keys.next, keys.last);
    }
    const double ours = measure(all.ours, round != 0, keys);
    const double other = measure(all.theirs, round != 0, keys);
    if (round != 0) all.figures.add(name, seawall_subject::name, callers, times_hand, ours / other);
  });
}

// ---- the herd ----

void herds(tiers_run& all) {
  const std::string name = "herd";
  if (!all.how.wants(name)) return;
  herd ours{seawall_subject::name, all.server.port()};
  herd theirs{hand_written::name, all.server.port()};
  constexpr int callers = herd_processes * herd_callers;
  const auto measure = [&](herd& who, const char* subject, bool counts, std::uint64_t key) {
    const stampede seen = who.run(all.server, key);
    all.check(seen.wrong == 0, fmt::format("{}: {} callers of {} got a wrong answer", name, seen.wrong, subject));
    all.check(seen.loads == 1 || subject != seawall_subject::name,
              fmt::format("{}: {} loads, there must be one; calls that the tier did not answer: {}", name, seen.loads,
                          seen.tier_failures));
    if (!counts) return;
    const auto row = [&](const metric& what, double value) { all.figures.add(name, subject, callers, what, value); };
    row(loads, static_cast<double>(seen.loads));
    row(p50_us, seen.at(0.50));
    row(p99_us, seen.at(0.99));
    row(ops_per_s, 1e6 * callers / seen.times_us.back());
    row(server_cpu, 1e6 * seen.server_cpu_s / callers);
  };
  all.rounds(name, [&](int round) {
    measure(ours, seawall_subject::name, round != 0, all.next_key++);
    measure(theirs, hand_written::name, round != 0, all.next_key++);
  });
}

int run_all(const options& how, const wishes& wished) {
  std::filesystem::create_directories("build/bench");
  private_server server(wished.server, "build/bench", false);
  asio::io_context context{1};
  seawall_subject ours{server.port(), room};
  hand_written theirs{server.port(), context};
  tiers_run all{{.how = how}, server, context, ours, theirs};
  {
    worker filler{seawall_subject::name, server.port()};
    l1_hits(all);
    for (const int callers : {1, 64}) round_trips(all, "l2-hit", &filler, callers);
    for (const int callers : {1, 64}) round_trips(all, "miss", nullptr, callers);
  }
  herds(all);
  if (all.figures.empty()) {
    fmt::print(stderr, "error: no case has such a name; there are: l1-hit, l2-hit, miss, herd\n");
    return 2;
  }
  all.figures.print();
  fmt::print("threads: callers at the same time; a hand-written cache-aside has nothing in the process, so its l1-hit "
             "is a GET\nns_over_engine: processor time beyond the engine's own hit; p50_times_hand: p50 as a multiple "
             "of the hand-written one\n");
  if (!all.figures.write(how.json)) return 1;
  fmt::print("rows: {}\n", how.json);
  return all.problems == 0 ? 0 : 1;
}

}  // namespace
}  // namespace seawall::bench

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // a process that ends is an answer that does not come
  int exit_code = 0;
  seawall::bench::wishes wished;
  const auto how = seawall::bench::parse(
      argc, argv, "tiers", "Two tiers beside a hand-written cache-aside: hits of each tier, misses, a herd", exit_code,
      [&](CLI::App& app) {
        app.add_option("--server", wished.server, "the server's program; without it, redis-server by PATH")
            ->check(CLI::ExistingFile)->type_name("PATH");
        app.add_option("--worker", wished.worker)->group("");  // be one of the other processes
        app.add_option("--port", wished.port)->group("");
      });
  if (!how) return exit_code;
  try {
    if (wished.worker.empty()) return seawall::bench::run_all(*how, wished);
    seawall::bench::be_worker(wished.worker, wished.port);
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
