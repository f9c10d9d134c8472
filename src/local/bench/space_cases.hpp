// What is measured in a process of its own: memory per entry, inserting while the table grows, and clear.
#pragma once

#include "child.hpp"
#include "local_run.hpp"
#include "local_subjects.hpp"
#include "workload.hpp"

#include <fmt/format.h>
#include <seawall_bench/harness.hpp>
#include <seawall_bench/latencies.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace seawall::bench {

/// Resident bytes of a full cache by the entries it holds, key, value and everything else included.
template <class Entries, class Subject>
double measured_bytes_per_entry() {
  const double before = resident_bytes();
  const auto subject = std::make_unique<Subject>(all_entries);
  typename Entries::value value{};
  double held = 0;
  for (std::size_t rank = 0; rank != all_entries; ++rank) {
    if constexpr (requires { subject->size(); }) subject->put(Entries::make_key(rank), Entries::make_value(rank));
    else subject->get(Entries::make_key(rank), value);
  }
  for (std::size_t rank = 0; rank != all_entries; ++rank) subject->get(Entries::make_key(rank), value);
  if constexpr (requires { subject->size(); }) held = static_cast<double>(subject->size());
  else held = static_cast<double>(all_entries);
  return (resident_bytes() - before) / held;
}

template <class Entries, class... Subjects>
void memory_case(local_run& all, const std::string& name, report& to) {
  if (!all.wants(name)) return;
  all.child_rounds(name, [&] {
    const auto one = [&]<class Subject>() {
      const auto seen = in_child([] { return std::vector{measured_bytes_per_entry<Entries, Subject>()}; });
      to.add(name, Subject::name, 1, bytes_per_entry, seen.at(0));
    };
    (one.template operator()<Subjects>(), ...);
  });
}

/// Inserts the keys of ranks 0..count-1, each thread its share; calls `after(thread)` after each.
template <class Subject, class F>
void insert_all(Subject& subject, std::size_t count, int threads, F&& after) {
  std::vector<std::jthread> workers;
  for (int index = 0; index != threads; ++index) {
    workers.emplace_back([&, index] {
      for (auto rank = static_cast<std::size_t>(index); rank < count; rank += static_cast<std::size_t>(threads)) {
        subject.put(key_of(rank), rank);
        after(index);
      }
    });
  }
}

/// How many million a second. No clock is read meanwhile: that is a tenth of an insertion.
template <class Subject>
double insertion_mops(std::size_t count, int threads) {
  using time = std::chrono::steady_clock;
  Subject subject{count};
  const time::time_point begin = time::now();
  insert_all(subject, count, threads, [](int) {});
  return 1e-6 * static_cast<double>(count) / std::chrono::duration<double>(time::now() - begin).count();
}

/// How long each takes, in microseconds: the 99th and the 99.99th percentile, and the longest.
template <class Subject>
std::vector<double> insertion_latencies(std::size_t count, int threads) {
  using time = std::chrono::steady_clock;
  struct alignas(128) own {
    time::time_point last = time::now();
    latencies seen;
  };
  Subject subject{count};
  std::vector<own> each(static_cast<std::size_t>(threads));
  insert_all(subject, count, threads, [&](int thread) {
    own& mine = each[static_cast<std::size_t>(thread)];
    const time::time_point now = time::now();
    mine.seen.add(now - mine.last);
    mine.last = now;
  });
  latencies all;
  for (const own& one : each) all.add(one.seen);
  return {all.microseconds(0.99), all.microseconds(0.9999), all.max_microseconds()};
}

template <class... Subjects>
void growth_case(local_run& all, report& to, std::size_t count) {
  const std::string name = "insert-growth";
  if (!all.wants(name)) return;
  constexpr std::array<metric, 3> metrics{p99_us, p9999_us, max_us};
  for (const int threads : {1, 2}) {
    all.child_rounds(fmt::format("{}, threads: {}", name, threads), [&] {
      const auto one = [&]<class Subject>() {
        const auto speed = in_child([&] { return std::vector{insertion_mops<Subject>(count, threads)}; });
        to.add(name, Subject::name, threads, mops, speed.at(0));
        const auto seen = in_child([&] { return insertion_latencies<Subject>(count, threads); });
        for (std::size_t i = 0; i != metrics.size(); ++i) to.add(name, Subject::name, threads, metrics[i], seen.at(i));
      };
      (one.template operator()<Subjects>(), ...);
    });
  }
}

/// What a reader notices of a clear, how long it takes, and the memory that is still there afterwards.
template <class Subject>
std::vector<double> clear_figures(std::size_t count) {
  using time = std::chrono::steady_clock;
  const double before = resident_bytes();
  Subject subject{count};
  insert_all(subject, count, 2, [](int) {});
  latencies seen;
  std::atomic<bool> reads{false};
  std::atomic<bool> stop{false};
  std::jthread reader([&] {
    xoshiro random{4};
    std::uint64_t value = 0;
    time::time_point last = time::now();
    while (!stop.load(std::memory_order_relaxed)) {
      subject.get(key_of(random.next() % count), value);
      const time::time_point now = time::now();
      if (reads.load(std::memory_order_relaxed)) seen.add(now - last);
      last = now;
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds{100});
  reads = true;
  const time::time_point begin = time::now();
  subject.clear();
  const double seconds = std::chrono::duration<double>(time::now() - begin).count();
  stop = true;
  reader.join();
  std::this_thread::sleep_for(std::chrono::milliseconds{200});
  return {seen.microseconds(0.9999), seen.max_microseconds(), seconds, (resident_bytes() - before) / 1e6};
}

template <class... Subjects>
void clear_case(local_run& all, report& to, std::size_t count) {
  const std::string name = "clear";
  if (!all.wants(name)) return;
  constexpr std::array<metric, 4> metrics{p9999_us, max_us, clear_s, mb_left};
  all.child_rounds(name, [&] {
    const auto one = [&]<class Subject>() {
      const auto seen = in_child([&] { return clear_figures<Subject>(count); });
      for (std::size_t i = 0; i != metrics.size(); ++i) to.add(name, Subject::name, 1, metrics[i], seen.at(i));
    };
    (one.template operator()<Subjects>(), ...);
  });
}

}  // namespace seawall::bench
