// get-hit, mix95/5, read-through and get-hit string at one thread and two, all subjects in turn; and hostile keys.
#pragma once

#include "hand_over.hpp"
#include "local_run.hpp"
#include "local_subjects.hpp"
#include "workload.hpp"

#include <fmt/format.h>
#include <seawall_bench/harness.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace seawall::bench {

enum class mode { get, mix, through };

struct loop_result {
  std::vector<thread_time> times;
  std::uint64_t hits = 0;
  std::uint64_t wrong = 0;  ///< A hit with another key's value.

  double ops() const {
    double sum = 0;
    for (const thread_time& one : times) sum += static_cast<double>(one.ops);
    return sum;
  }
};

/// Threads walk through the request list, the first one from `from`. Every 20th request of a mix is a put.
template <class Entries, mode how, class Subject>
loop_result ask(Subject& subject, const typename Entries::requests& list, int threads, double seconds,
                std::size_t from) {
  std::atomic<std::uint64_t> hits{0};
  std::atomic<std::uint64_t> wrong{0};
  loop_result answer;
  answer.times = run_threads(threads, seconds, [&](int index, const std::atomic<bool>& stop) {
    constexpr int batch = 320;
    std::size_t at = from + static_cast<std::size_t>(index) * thread_offset;
    std::uint64_t ops = 0;
    std::uint64_t found = 0;
    std::uint64_t bad = 0;
    typename Entries::value value{};
    for (; !stop.load(std::memory_order_relaxed); ops += batch) {
      for (int i = 0; i != batch; ++i) {
        const std::size_t now = at++ % all_requests;
        if constexpr (how == mode::mix) {
          if (i % 20 == 19) {
            subject.put(typename Entries::key(list[now]), typename Entries::value(list.id(now)));
            ++found;
            continue;
          }
        }
        if (subject.get(list[now], value)) {
          ++found;
          bad += Entries::id_of(value) == list.id(now) ? 0 : 1;
        } else if constexpr (how == mode::through && requires { subject.size(); }) {
          subject.put(typename Entries::key(list[now]), typename Entries::value(list.id(now)));
        }
      }
    }
    hits += found;
    wrong += bad;
    return ops;
  });
  answer.hits = hits;
  answer.wrong = wrong;
  return answer;
}

/// All entries, in an order that has nothing to do with how often they are asked for.
template <class Entries, class Subject>
void fill(Subject& subject) {
  std::vector<std::uint32_t> order(all_entries);
  std::iota(order.begin(), order.end(), 0U);
  std::shuffle(order.begin(), order.end(), std::mt19937_64{2});
  typename Entries::value ignored{};
  for (const std::uint32_t rank : order) {
    if constexpr (requires { subject.size(); }) subject.put(Entries::make_key(rank), Entries::make_value(rank));
    else subject.get(Entries::make_key(rank), ignored);
  }
}

/// Read-through of half the list, so that what is measured is a full cache that has settled.
template <class Entries, class Subject>
void warm(Subject& subject, const typename Entries::requests& list) {
  typename Entries::value value{};
  for (std::size_t at = all_requests / 2; at != all_requests; ++at) {
    const bool hit = subject.get(list[at], value);
    if constexpr (requires { subject.size(); }) {
      if (!hit) subject.put(typename Entries::key(list[at]), typename Entries::value(list.id(at)));
    }
  }
}

template <class Entries, mode how, class Subject>
void measure_one(local_run& all, const std::string& name, Subject& subject, const typename Entries::requests& list,
                 int threads, int round) {
  std::uint64_t made = 0;
  if constexpr (requires { subject.misses(); }) made = subject.misses();
  // Another part of the list each time: a slow subject would otherwise be asked for the same few keys again and again.
  const auto from = static_cast<std::size_t>(2 * round + threads) * round_offset;
  const loop_result seen = ask<Entries, how>(subject, list, threads, all.how.seconds, from);
  double hit = static_cast<double>(seen.hits);
  if constexpr (requires { subject.misses(); }) hit -= static_cast<double>(subject.misses() - made);
  const double percent = 100 * hit / seen.ops();
  all.check(seen.wrong == 0, fmt::format("{}: {} gave {} wrong values", name, subject.name, seen.wrong));
  if constexpr (how != mode::through) {
    all.check(percent > 99.9, fmt::format("{}: {} held only {:.2f} % of the entries", name, subject.name, percent));
  }
  if (round == 0) return;
  add_times(all.figures, name, subject.name, seen.times);
  if constexpr (how == mode::through) all.figures.add(name, subject.name, threads, hit_pct, percent);
}

/// The first of the subjects is Seawall.
template <class Entries, mode how, class... Subjects>
void speed_case(local_run& all, const std::string& name) {
  if (!all.wants(name)) return;
  const typename Entries::requests list{all.ranks};
  const std::size_t capacity = how == mode::through ? all_entries / 10 : all_entries + all_entries / 10;
  std::tuple<std::unique_ptr<Subjects>...> subjects{std::make_unique<Subjects>(capacity)...};
  if constexpr (how == mode::through) {
    std::apply([&](auto&... each) { (warm<Entries>(*each, list), ...); }, subjects);
  } else {
    std::apply([](auto&... each) { (fill<Entries>(*each), ...); }, subjects);
  }
  all.rounds(name, [&](int round) {
    for (const int threads : {1, 2}) {
      const auto one = [&](auto& each) { measure_one<Entries, how>(all, name, *each, list, threads, round); };
      std::apply([&](auto&... each) { (one(each), ...); }, subjects);
    }
    if (round == 0) return;
    all.figures.add(name, "seawall", 2, line_ns, hand_over_ns());
    all.ask_foreign(all.figures, name);
  });
}

/// Read-through over keys that all hash alike, beside as many ordinary ones.
template <class Cache, class Key>
double read_through_ns(double seconds, std::size_t keys) {
  Cache cache{2 * keys};
  const auto times = run_threads(1, seconds, [&](int, const std::atomic<bool>& stop) {
    xoshiro random{3};
    std::uint64_t ops = 0;
    for (; !stop.load(std::memory_order_relaxed); ++ops) {
      const Key key{key_of(random.next() % keys)};
      std::uint64_t value = 0;
      if (!cache.get(key, value)) cache.put(key, ops);
    }
    return ops;
  });
  return 1e9 * times.front().wall / static_cast<double>(times.front().ops);
}

template <template <class, class> class... Caches>
void hostile_case(local_run& all) {
  const std::string name = "adversarial";
  constexpr std::size_t keys = 10'000;
  if (!all.wants(name)) return;
  all.rounds(name, [&](int round) {
    const auto one = [&]<class Hostile, class Ordinary>() {
      const double slow = read_through_ns<Hostile, hostile_key>(all.how.seconds, keys);
      const double fast = read_through_ns<Ordinary, std::uint64_t>(all.how.seconds, keys);
      if (round == 0) return;
      all.figures.add(name, Hostile::name, 1, times_slower, slow / fast);
      all.figures.add(name, Hostile::name, 1, ns_per_op, slow);
    };
    (one.template operator()<Caches<hostile_key, std::uint64_t>, Caches<std::uint64_t, std::uint64_t>>(), ...);
  });
}

}  // namespace seawall::bench
