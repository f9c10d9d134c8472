// ./dev bench cache: hits, misses, one hot flight and a stampede of 10,000 callers, with a hand-written cache beside.
//
// Exit status: 0; 1 when an answer was wrong, Seawall loaded more than once in a stampede, or the rows could not be
// written; 2 for a mistake on the command line.
#include "bench_flights.hpp"
#include "bench_subjects.hpp"

#include <fmt/format.h>
#include <seawall_bench/harness.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <random>
#include <string>
#include <vector>

namespace seawall::bench {
namespace {

using run = bench_run;

std::uint64_t key_of(std::uint64_t number) { return mix64(number + 1); }

// ---- hits ----

/// Keys to ask for, in an order drawn beforehand; the length is a power of two.
using key_list = std::vector<std::uint64_t>;
constexpr std::size_t list_length = std::size_t{1} << 21;

key_list uniform_keys(std::size_t entries) {
  std::mt19937_64 random{1};
  std::uniform_int_distribution<std::uint64_t> draw{0, entries - 1};
  key_list keys(list_length);
  for (auto& key : keys) key = key_of(draw(random));
  return keys;
}

key_list zipf_keys(std::size_t entries, double exponent) {
  std::vector<double> up_to(entries);
  double sum = 0;
  for (std::size_t i = 0; i != entries; ++i) up_to[i] = sum += std::pow(static_cast<double>(i + 1), -exponent);
  std::mt19937_64 random{1};
  std::uniform_real_distribution<double> draw{0, sum};
  key_list keys(list_length);
  for (auto& key : keys) {
    const auto rank = std::upper_bound(up_to.begin(), up_to.end() - 1, draw(random)) - up_to.begin();
    key = key_of(static_cast<std::uint64_t>(rank));
  }
  return keys;
}

/// All keys, in an order that has nothing to do with how often they are asked for.
template <class Subject>
void fill(Subject& subject, std::size_t entries) {
  std::vector<std::uint64_t> numbers(entries);
  for (std::size_t i = 0; i != entries; ++i) numbers[i] = i;
  std::shuffle(numbers.begin(), numbers.end(), std::mt19937_64{2});
  for (const std::uint64_t number : numbers) subject.put(key_of(number), row{key_of(number)});
}

template <class Call>
std::vector<thread_time> ask(const key_list& keys, int threads, double seconds, std::atomic<std::uint64_t>& wrong,
                             const Call& call) {
  return run_threads(threads, seconds, [&](int index, const std::atomic<bool>& stop) {
    std::size_t at = static_cast<std::size_t>(index) * 777'777;
    std::uint64_t ops = 0;
    std::uint64_t bad = 0;
    for (; !stop.load(std::memory_order_relaxed); ops += 256) {
      for (int i = 0; i != 256; ++i) {
        const std::uint64_t key = keys[at++ & (list_length - 1)];
        const auto answer = call(key);
        const row* got = row_of(answer);
        bad += got == nullptr || got->id != key ? 1 : 0;
      }
    }
    wrong += bad;
    return ops;
  });
}

void hits(run& all, const std::string& which, std::size_t entries, key_list (*make_keys)(std::size_t)) {
  const std::string get_name = "get-hit " + which;
  const std::string load_name = "get_or_load-hit " + which;
  if (!all.how.wants(get_name) && !all.how.wants(load_name)) return;
  const key_list keys = make_keys(entries);
  // A quarter above what is stored: nothing is evicted, however unevenly the keys fall into shards.
  seawall_subject ours{entries + entries / 4};
  hand_written theirs{entries + entries / 4};
  fill(ours, entries);
  fill(theirs, entries);
  std::atomic<std::uint64_t> wrong{0};
  const auto measure = [&](auto& subject, const std::string& name, int threads, bool loads, bool counts) {
    const auto none = [&](std::uint64_t) {
      wrong.fetch_add(1);
      return row{};
    };
    const auto get = [&](std::uint64_t key) { return subject.get(key); };
    const auto get_or_load = [&](std::uint64_t key) { return subject.get_or_load(key, none); };
    const auto times = loads ? ask(keys, threads, all.how.seconds, wrong, get_or_load)
                             : ask(keys, threads, all.how.seconds, wrong, get);
    if (counts) add_times(all.figures, name, subject.name, times);
  };
  for (const bool loads : {false, true}) {
    const std::string& name = loads ? load_name : get_name;
    if (!all.how.wants(name)) continue;
    for (const int threads : {1, 2}) {
      all.rounds(fmt::format("{}, threads: {}", name, threads), [&](int round) {
        measure(ours, name, threads, loads, round > 0);
        measure(theirs, name, threads, loads, round > 0);
      });
    }
  }
  all.check(wrong == 0, fmt::format("{}: {} answers were wrong or missing", get_name, wrong.load()));
}

// ---- misses ----

// Each key is asked for once, the loader does nothing: what is left is the price of a flight, and, when the row is
// stored, of an insertion and an eviction.
void misses(run& all, const std::string& name, bool store) {
  if (!all.how.wants(name)) return;
  constexpr std::size_t capacity = 100'000;
  seawall_subject ours{capacity};
  hand_written theirs{capacity};
  if (store) {
    fill(ours, capacity);
    fill(theirs, capacity);
  }
  std::uint64_t next = std::uint64_t{1} << 32;  // no key twice: every thread of every measurement has its own range
  std::atomic<std::uint64_t> wrong{0};
  const auto measure = [&](auto& subject, int threads, bool counts) {
    const std::uint64_t base = next;
    next += static_cast<std::uint64_t>(threads) << 32;
    const auto loader = [](std::uint64_t key) { return row{key}; };
    const auto times = run_threads(threads, all.how.seconds, [&](int index, const std::atomic<bool>& stop) {
      const std::uint64_t begin = base + (static_cast<std::uint64_t>(index) << 32);
      std::uint64_t ops = 0;
      std::uint64_t bad = 0;
      for (; !stop.load(std::memory_order_relaxed); ++ops) {
        const std::uint64_t key = key_of(begin + ops);
        const auto answer = store ? subject.get_or_load(key, loader) : subject.load_only(key, loader);
        const row* got = row_of(answer);
        bad += got == nullptr || got->id != key ? 1 : 0;
      }
      wrong += bad;
      return ops;
    });
    if (counts) add_times(all.figures, name, subject.name, times);
  };
  for (const int threads : {1, 2}) {
    all.rounds(fmt::format("{}, threads: {}", name, threads), [&](int round) {
      measure(ours, threads, round > 0);
      measure(theirs, threads, round > 0);
    });
  }
  all.check(wrong == 0, fmt::format("{}: {} answers were wrong or missing", name, wrong.load()));
}

// ---- flights ----

void hot_flights(run& all) {
  seawall_subject ours{1000};
  hand_written theirs{1000};
  const std::string name = "hot-flight";
  for (const int threads : {2, 64}) {
    if (!all.how.wants(name)) break;
    all.rounds(fmt::format("{}, threads: {}", name, threads), [&](int round) {
      const double a = hot_flight_threads(ours, threads, all.how.seconds);
      const double b = hot_flight_threads(theirs, threads, all.how.seconds);
      if (round == 0) return;
      all.figures.add(name, ours.name, threads, callers_per_s, a);
      all.figures.add(name, theirs.name, threads, callers_per_s, b);
    });
  }
  const std::string with_coroutines = "hot-flight 1000 coroutines";
  if (!all.how.wants(with_coroutines)) return;
  all.rounds(with_coroutines, [&](int round) {
    const double a = hot_flight_coroutines(ours, 1000, 2, all.how.seconds);
    if (round > 0) all.figures.add(with_coroutines, ours.name, 2, callers_per_s, a);
  });
}

void stampedes(run& all) {
  constexpr int callers = 10'000;
  const auto settle = [&](const stampede& seen, const std::string& name, const char* subject, int threads, int round) {
    all.check(seen.wrong == 0, fmt::format("{}: {} callers of {} got no answer", name, seen.wrong.load(), subject));
    all.check(seen.loads == 1 || subject != seawall_subject::name,
              fmt::format("{}: {} loads, there must be one", name, seen.loads.load()));
    if (round > 0) seen.add_to(all.figures, name, subject, threads);
  };
  const std::string name = "stampede 10000";
  const auto with_threads = [&](auto subject, int round) {
    stampede seen{callers};
    stampede_threads(*subject, seen);
    settle(seen, name, subject->name, callers, round);
  };
  if (all.how.wants(name)) {
    all.rounds(name, [&](int round) {
      with_threads(std::make_unique<seawall_subject>(1000), round);
      with_threads(std::make_unique<hand_written>(1000), round);
    });
  }
  const std::string with_coroutines = "stampede 10000 coroutines";
  if (!all.how.wants(with_coroutines)) return;
  all.rounds(with_coroutines, [&](int round) {
    seawall_subject subject{1000};
    stampede seen{callers};
    stampede_coroutines(subject, seen, 2);
    settle(seen, with_coroutines, subject.name, 2, round);
  });
}

int run_all(const options& how) {
  run all{.how = how};
  hits(all, "100k", 100'000, uniform_keys);
  hits(all, "zipf0.99 1M", 1'000'000, [](std::size_t entries) { return zipf_keys(entries, 0.99); });
  misses(all, "miss", true);
  misses(all, "miss no-store", false);
  hot_flights(all);
  stampedes(all);
  if (all.figures.empty()) {
    fmt::print(stderr, "error: no case has such a name; there are: get-hit 100k, get_or_load-hit 100k, get-hit "
                       "zipf0.99 1M, get_or_load-hit zipf0.99 1M, miss, miss no-store, hot-flight, hot-flight 1000 "
                       "coroutines, stampede 10000, stampede 10000 coroutines\n");
    return 2;
  }
  all.figures.print();
  if (!all.figures.write(how.json)) return 1;
  fmt::print("rows: {}\n", how.json);
  return all.problems == 0 ? 0 : 1;
}

}  // namespace
}  // namespace seawall::bench

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto how = seawall::bench::parse(
      argc, argv, "cache", "Hits, misses, a hot flight and a stampede: Seawall beside a hand-written cache", exit_code);
  if (!how) return exit_code;
  try {
    return seawall::bench::run_all(*how);
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
