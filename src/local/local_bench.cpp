// ./dev bench local: the in-process engine beside oneTBB's caches, a map behind a mutex, Caffeine and npm's lru-cache.
//
// Exit status: 0; 1 when an answer was wrong, a peer failed, or the rows could not be written; 2 for a mistake on the
// command line. A peer that is not installed is named on stderr and left out.
#include "bench/local_run.hpp"
#include "bench/local_subjects.hpp"
#include "bench/space_cases.hpp"
#include "bench/speed_cases.hpp"
#include "bench/workload.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <seawall_bench/harness.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

#ifdef SEAWALL_BENCH_TBB
#define SEAWALL_BENCH_IF_TBB(...) __VA_ARGS__
#else
#define SEAWALL_BENCH_IF_TBB(...)
#endif

namespace seawall::bench {
namespace {

template <class Entries, template <class, class> class Cache>
using of = Cache<typename Entries::key, typename Entries::value>;

template <class E, mode how>
void speed(local_run& all, const std::string& name) {
  if constexpr (how == mode::mix) {  // concurrent_lru_cache cannot be put into
    speed_case<E, how, of<E, seawall_subject>, SEAWALL_BENCH_IF_TBB(of<E, tbb_hash_mutex_lru>, ) of<E, mutex_lru>>(
        all, name);
  } else {
    speed_case<E, how, of<E, seawall_subject>, SEAWALL_BENCH_IF_TBB(of<E, tbb_lru>, of<E, tbb_hash_mutex_lru>, )
               of<E, mutex_lru>>(all, name);
  }
}

template <class E>
void memory(local_run& all, const std::string& name, report& to) {
  memory_case<E, of<E, seawall_subject>, SEAWALL_BENCH_IF_TBB(of<E, tbb_lru>, of<E, tbb_hash_mutex_lru>, )
              of<E, mutex_lru>>(all, name, to);
}

int run_all(const options& how, bool with_peers) {
  using small = small_entries;
  local_run all{{.how = how}};
  const std::size_t many = how.quick ? 1'000'000 : 10'000'000;
#ifndef SEAWALL_BENCH_TBB
  fmt::print(stderr, "no oneTBB beside us: install libtbb-dev and configure again\n");
#endif
  // First what forks: this process has one thread yet, and an empty heap. It goes below the other figures.
  report children;
  memory<small_entries>(all, "memory 8+8", children);
  memory<large_entries>(all, "memory 24+100", children);
  growth_case<of<small, seawall_subject>, SEAWALL_BENCH_IF_TBB(of<small, tbb_hash_mutex_lru>, ) of<small, mutex_lru>>(
      all, children, many);
  clear_case<of<small, seawall_subject>, of<small, mutex_lru>>(all, children, many);

  all.ranks = draw_ranks();
  if (with_peers) all.foreign.emplace("build/bench", all.ranks);
  for (const char* name : {"memory 8+8", "memory 24+100"}) {
    if (all.wants(name)) all.ask_foreign(children, name);
  }
  speed<small_entries, mode::get>(all, "get-hit");
  speed<small_entries, mode::mix>(all, "mix95/5");
  speed<small_entries, mode::through>(all, "read-through");
  speed<large_entries, mode::get>(all, "get-hit string");
  hostile_case<seawall_subject, mutex_lru>(all);
  all.figures.append(children);
  if (all.none_wanted) {
    fmt::print(stderr, "error: no case has such a name; there are: get-hit, mix95/5, read-through, get-hit string, "
                       "adversarial, memory 8+8, memory 24+100, insert-growth, clear\n");
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
  bool no_peers = false;
  const auto how = seawall::bench::parse(
      argc, argv, "local", "The in-process engine beside its peers: hits, a mix, read-through, strings, memory, clear",
      exit_code, [&](CLI::App& app) {
        app.add_flag("--no-peers", no_peers, "without the peers in other languages, which take most of the time");
      });
  if (!how) return exit_code;
  try {
    return seawall::bench::run_all(*how, !no_peers);
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
