// ./dev bench redis: Seawall's client beside hiredis and the clients of npm, all against one redis-server.
//
// The server is the benchmark's own, on the loopback. Each round measures every case with every subject, so the noise
// of the machine falls on all alike.
// Exit status: 0; 1 when there is no server, a reply was wrong or did not come, or the rows could not be written; 2 for
// a mistake on the command line. A peer that is not installed is named on stderr and left out.
#include "bench/node_subject.hpp"
#include "bench/seawall_subject.hpp"
#include "bench/subject.hpp"
#ifdef SEAWALL_BENCH_HIREDIS
#include "bench/hiredis_subject.hpp"
#endif

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <seawall_bench/child_process.hpp>
#include <seawall_bench/harness.hpp>
#include <seawall_bench/private_server.hpp>

#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace seawall::bench {
namespace {

constexpr metric ops_per_s{"ops_per_s", better::higher};
constexpr metric client_cpu{"client_cpu_s_per_m", better::lower};
constexpr metric server_cpu{"server_cpu_s_per_m", better::lower};
constexpr metric p50_us{"p50_us", better::lower};
constexpr metric p99_us{"p99_us", better::lower};
constexpr metric times_single{"times_single100", better::neither};

struct wishes {
  bool no_peers = false;
  bool pinned = false;
  std::string server;
};

using subjects = std::vector<std::unique_ptr<subject>>;

void add_npm(subjects& to, std::uint16_t port, const std::filesystem::path& folder) {
  const auto node = find_program("node");
  const auto modules = folder / "node_modules";
  for (const auto& [name, package] : {std::pair{"ioredis", "ioredis"}, {"node-redis", "redis"}}) {
    if (!node || !std::filesystem::exists(modules / package)) {
      fmt::print(stderr, "no {} beside us: install Node.js 20 or newer and npm, then run: npm install --no-save "
                         "--prefix {} ioredis@6 redis@6\n", name, folder.string());
      continue;
    }
    try {
      to.push_back(std::make_unique<node_subject>(name, *node, modules, port));
    } catch (const std::exception& e) {
      fmt::print(stderr, "no {} beside us: {}\n", name, e.what());
    }
  }
}

subjects connect_all(std::uint16_t port, bool with_peers) {
  subjects all;
  all.push_back(std::make_unique<seawall_subject>(port));
  if (!with_peers) return all;
#ifdef SEAWALL_BENCH_HIREDIS
  all.push_back(std::make_unique<hiredis_subject>(port));
#else
  fmt::print(stderr, "no hiredis beside us: install libhiredis-dev and configure again\n");
#endif
  add_npm(all, port, "build/bench/npm-redis");
  return all;
}

void fill(private_server& server) {
  for (int at = 0; at < key_count; at += batch) {
    std::string command = "MSET";
    for (int i = at; i != at + batch; ++i) command += fmt::format(" {} {}", key_name(i), value_text());
    if (server.ask(command) != "+OK\r\n") throw std::runtime_error("redis-server refuses MSET");
  }
}

void measure_round(bench_run& all, const subjects& who, private_server& server, bool counts) {
  std::map<std::string, double> single;  // SETs a second, by subject
  for (const redis_case& which : redis_cases) {
    if (!all.how.wants(which.name)) continue;
    for (const auto& one : who) {
      const double before = server.cpu_seconds();
      const measured row = one->measure(which, all.how.seconds);
      const double server_cpu_s = server.cpu_seconds() - before;
      if (!counts) continue;
      const auto add = [&](const metric& what, double value) {
        all.figures.add(which.name, one->name(), which.callers, what, value);
      };
      add(ops_per_s, row.ops_per_s);
      add(client_cpu, 1e6 * row.client_cpu_s / row.ops);
      add(server_cpu, 1e6 * server_cpu_s / row.ops);
      add(p50_us, row.p50_us);
      add(p99_us, row.p99_us);
      if (which.kind == call_kind::single) single[one->name()] = row.ops_per_s;
      const auto same = single.find(one->name());
      if (which.kind == call_kind::pipeline && same != single.end()) add(times_single, row.ops_per_s / same->second);
    }
  }
}

int run_all(const options& how, const wishes& wished) {
  const auto wanted = [&](const redis_case& which) { return how.wants(which.name); };
  if (std::none_of(redis_cases.begin(), redis_cases.end(), wanted)) {
    fmt::print(stderr, "error: no case has such a name; there are:");
    for (const redis_case& one : redis_cases) fmt::print(stderr, " '{}'", one.name);
    fmt::print(stderr, "\n");
    return 2;
  }
  bench_run all{.how = how};
  std::filesystem::create_directories("build/bench");
  private_server server(wished.server, "build/bench", wished.pinned);
  fill(server);
  if (wished.pinned) pin(0, false);
  const subjects who = connect_all(server.port(), !wished.no_peers);
  if (who.empty()) {
    fmt::print(stderr, "error: there is no client to measure\n");
    return 1;
  }
  all.rounds("redis", [&](int round) { measure_round(all, who, server, round != 0); });
  all.figures.print();
  fmt::print("ops: a GET or a SET; times: of a GET, of all 100 SETs; times_single100: how many times the SETs a second "
             "that come one by one\n");
  if (!all.figures.write(how.json)) return 1;
  fmt::print("rows: {}\n", how.json);
  return 0;
}

}  // namespace
}  // namespace seawall::bench

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // a peer that ends is an answer that does not come
  int exit_code = 0;
  seawall::bench::wishes wished;
  const auto how = seawall::bench::parse(
      argc, argv, "redis", "Seawall's client beside its peers: GETs of many callers and of one, pipelined SETs",
      exit_code, [&](CLI::App& app) {
        app.get_option("--seconds")->default_val("0.5");  // Node.js answers nothing in less
        app.add_flag("--no-peers", wished.no_peers, "without hiredis, ioredis and node-redis");
        app.add_flag("--pin", wished.pinned, "the server on processor 0, the clients on the others");
        app.add_option("--server", wished.server, "the server's program; without it, redis-server by PATH")
            ->check(CLI::ExistingFile)->type_name("PATH");
      });
  if (!how) return exit_code;
  try {
    return seawall::bench::run_all(*how, wished);
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
