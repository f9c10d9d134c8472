// ./dev bench resp: what a reply costs to find and read, and a command to encode.
//
// Exit status: 0; 1 when an answer was wrong or the rows could not be written; 2 for a mistake on the command line.
#include "seawall/resp/command_bytes.hpp"
#include "seawall/resp/scanner.hpp"
#include "seawall/resp/view.hpp"

#include <fmt/format.h>
#include <seawall_bench/harness.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace seawall::bench {
namespace {

/// Whatever memory holds may have changed: the loop must look again.
void forget() { asm volatile("" ::: "memory"); }

/// Measures `call`, which answers whether all was well.
template <class Call>
void measure(bench_run& all, const std::string& name, const Call& call) {
  if (!all.how.wants(name)) return;
  std::atomic<std::uint64_t> wrong{0};
  all.rounds(name, [&](int round) {
    const auto times = run_threads(1, all.how.seconds, [&](int, const std::atomic<bool>& stop) {
      std::uint64_t ops = 0;
      std::uint64_t bad = 0;
      for (; !stop.load(std::memory_order_relaxed); ops += 64) {
        for (int i = 0; i != 64; ++i) {
          forget();
          bad += call() ? 0 : 1;
        }
      }
      wrong += bad;
      return ops;
    });
    if (round > 0) add_times(all.figures, name, "seawall", times);
  });
  all.check(wrong == 0, fmt::format("{}: {} wrong answers", name, wrong.load()));
}

void replies(bench_run& all) {
  const std::string bulk = "$64\r\n" + std::string(64, 'x') + "\r\n";
  std::string array = "*100\r\n";
  for (int i = 0; i != 100; ++i) array += bulk;
  const std::string ok = "+OK\r\n";
  resp::scanner scan;
  measure(all, "scan+text bulk64", [&] {
    const auto length = scan.scan(bulk);
    return length && resp::view{std::string_view{bulk.data(), *length}}.text().size() == 64;
  });
  measure(all, "scan +OK", [&] { return scan.scan(ok).value_or(0) == ok.size(); });
  measure(all, "scan array of 100 bulk64", [&] { return scan.scan(array).value_or(0) == array.size(); });
  measure(all, "read array of 100 bulk64", [&] {
    std::size_t bytes = 0;
    for (const resp::view element : resp::view{array}) bytes += element.text().size();
    return bytes == 6400;
  });
}

void commands(bench_run& all) {
  const std::string key = "user:1234567";
  const std::string row(64, 'x');
  measure(all, "encode GET key", [&] {
    const resp::command_bytes command{"GET", key};
    forget();
    return command.arguments() == 2;
  });
  measure(all, "encode SET key 64 bytes PX", [&] {
    resp::command_bytes command{"SET", key, row, "PX"};
    command.append(std::int64_t{60'000});
    forget();
    return command.arguments() == 5;
  });
  measure(all, "encode and move GET key", [&] {
    resp::command_bytes command{"GET", key};
    forget();
    const resp::command_bytes moved{std::move(command)};
    forget();
    return moved.arguments() == 2;
  });
}

int run_all(const options& how) {
  bench_run all{.how = how};
  replies(all);
  commands(all);
  if (all.figures.empty()) {
    fmt::print(stderr, "error: no case has such a name; run without --only to see them\n");
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
  const auto how =
      seawall::bench::parse(argc, argv, "resp", "Finding and reading replies, encoding commands", exit_code);
  if (!how) return exit_code;
  try {
    return seawall::bench::run_all(*how);
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
