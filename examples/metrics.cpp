// Reads the numbers of a cache: the struct, a rate between two readings, and advice. docs/guide/metrics.md quotes it.
#include <seawall/cache.hpp>
#include <seawall/metrics/advice.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace {

void print(const seawall::cache_stats& stats) {
  const auto us = [](std::chrono::nanoseconds t) { return std::chrono::duration<double, std::micro>(t).count(); };
  std::cout << stats.name << ": " << stats.entries << " entries, hit rate " << stats.total.hit_rate() * 100 << " %, "
            << stats.total.loads << " loads, p50 " << us(stats.load_time.percentile(50)) << " us, p99 "
            << us(stats.load_time.percentile(99)) << " us\n";
  for (const seawall::class_stats& one : stats.classes)
    std::cout << "  class " << one.name << ": " << one.lookups() << " lookups, " << one.hit_rate() * 100 << " % hits\n";
  std::cout << "  evicted for want of room: " << stats.evicted(seawall::removal_cause::capacity) << '\n';
}

double hit_rate_since(const seawall::class_stats& before, const seawall::class_stats& now) {
  const auto lookups = now.lookups() - before.lookups();
  return lookups == 0 ? 0.0 : static_cast<double>(now.answered() - before.answered()) / static_cast<double>(lookups);
}

void print_advice(const seawall::cache_stats& stats) {
  for (const seawall::advice& one : seawall::advise(stats))
    std::cout << '[' << to_string(one.level) << "] " << one.subject << ": " << one.text << '\n';
}

}  // namespace

int main() {
  seawall::cache<int, std::string> squares{{.name = "squares", .capacity = 500}};
  const auto before = squares.stats();
  for (int i = 0; i < 4000; ++i) (void)squares.get_or_load(i % 800, [](int n) { return std::to_string(n * n); });
  const auto now = squares.stats();
  print(now);
  std::cout << "hit rate since the start: " << hit_rate_since(before.total, now.total) * 100 << " %\n";
  print_advice(now);
}
