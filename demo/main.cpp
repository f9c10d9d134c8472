// seawall-demo: a web shop's real traffic, first straight at its database, then through Seawall.
#include "checker.hpp"
#include "front.hpp"
#include "options.hpp"
#include "replay.hpp"
#include "report.hpp"
#include "shop_file.hpp"
#include "sqlite.hpp"
#include "traffic.hpp"

#include <fmt/core.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>

namespace seawall::demo {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_interrupted = 130;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

extern "C" void on_interrupt(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);  // a second Ctrl-C ends the program at once
}

template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  fmt::print(format, std::forward<Args>(args)...);
  std::fflush(stdout);
}

shop_file prepare_shop(const demo_options& options, bool terminal) {
  progress_bar bar(terminal);
  bool announced = false;
  const auto start = std::chrono::steady_clock::now();
  const auto progress = [&](std::string_view what, double share) {
    if (!std::exchange(announced, true)) {
      say("Generating the shop's database {} (once; later runs use it again)\n", options.database);
    }
    bar.show(what, share);
    return !interrupted;
  };
  const bool own_place = options.database == demo_options::default_database;
  shop_file shop = open_shop(options.database, shop_size::scaled(options.scale), own_place, progress);
  bar.end();
  if (shop.generated) {
    say("  done in {:.1f} s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  say("Database: {}: {} orders, {} users, {} products, {} reviews\n", shop.path, grouped(shop.size.orders),
      grouped(shop.size.users), grouped(shop.size.products), grouped(shop.size.reviews));
  return shop;
}

/// Runs samples of each kind of request alone, with keys of the traffic itself.
std::array<query_cost, request_kinds> measure_costs(shop_session& session, const std::vector<request_key>& traffic) {
  std::array<query_cost, request_kinds> costs;
  std::array<std::vector<request_key>, request_kinds> samples;
  for (std::size_t i = 0; i < traffic.size(); ++i) {
    const auto kind = static_cast<std::size_t>(traffic[i].kind);
    costs[kind].share += 1.0 / static_cast<double>(traffic.size());
    const std::size_t enough = traffic[i].kind == request_kind::dashboard ? 20 : 2'000;
    if (samples[kind].size() < enough) samples[kind].push_back(traffic[i]);
  }
  for (std::size_t kind = 0; kind < request_kinds; ++kind) {
    query_cost& cost = costs[kind];
    cost.kind = static_cast<request_kind>(kind);
    if (samples[kind].empty()) continue;
    const auto n = static_cast<double>(samples[kind].size());
    const std::uint64_t before = session.queries();
    const auto start = std::chrono::steady_clock::now();
    for (const request_key& key : samples[kind]) {
      if (const auto a = session.load(key)) cost.bytes += static_cast<double>(a->body.size()) / n;
    }
    cost.mean_us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / n;
    cost.queries = static_cast<double>(session.queries() - before) / n;
  }
  return costs;
}

/// Runs a phase with a live line per second, or with a progress bar when it is to serve a number of requests.
figures run_phase(replayer& clients, const phase& p, bool terminal) {
  progress_bar bar(terminal);
  const phase_result result = clients.run(p, [&](const figures& second, const figures& so_far) {
    if (p.requests > 0) {
      bar.show(fmt::format("{} requests/s", grouped(static_cast<std::uint64_t>(second.requests_per_second()))),
               static_cast<double>(so_far.requests()) / static_cast<double>(p.requests));
    } else {
      say("{}\n", live_line(second, so_far));
    }
  });
  bar.end();
  if (!result.failure.empty()) throw std::runtime_error(result.failure);
  return result.measured;
}

void run_phases(const demo_options& options, replayer& clients, shop_session& session, std::size_t requests,
                bool terminal, demo_results& results) {
  const double seconds = options.seconds;
  say("\nStraight at the database: {} client threads, {} % writes, {} s\n", options.threads, writes_per_hundred,
      options.seconds);
  const auto straight = straight_front();
  results.database = run_phase(clients, {*straight, seconds, 0}, terminal);
  if (interrupted) return;
  session.checkpoint();
  const auto through = seawall_front({static_cast<std::size_t>(options.threads), options.break_invalidation});
  say("\nThrough Seawall: the first pass of the trace fills the cache (not part of the figures)\n");
  results.first_pass = run_phase(clients, {*through, 0, requests}, terminal);
  say("  {} requests in {:.1f} s, {} database queries, {} stale answers\n", grouped(results.first_pass->requests()),
      results.first_pass->seconds, grouped(results.first_pass->queries), results.first_pass->stale);
  if (interrupted) return;
  session.checkpoint();
  say("\nThrough Seawall: the same traffic from its start, {} s\n", options.seconds);
  results.seawall = run_phase(clients, {*through, seconds, 0}, terminal);
}

int report(const demo_options& options, const demo_results& results, const checker& check) {
  say("\n{}(ratio: times more requests and writes, times lower latencies)\n\n{}", result_table(results),
      conclusions(results));
  for (const std::string& complaint : check.complaints()) say("  {}\n", complaint);
  if (!options.json.empty()) {
    std::ofstream out(options.json, std::ios::trunc);
    out << to_json(results, options);
    if (!out.flush()) throw std::runtime_error("cannot write " + options.json);
    say("All figures: {}\n", options.json);
  }
  if (results.stale_answers() + results.wrong_answers() > 0) {
    say("FAILED: the run found stale or wrong answers.\n");
    return exit_failed;
  }
  if (interrupted) {
    say("Interrupted: the figures are those so far.\n");
    return exit_interrupted;
  }
  return 0;
}

int run(const demo_options& options) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  tune_sqlite();
  const shop_file shop = prepare_shop(options, terminal);
  const auto traffic = load_traffic(options.trace, find_trace_directory(), shop.size);
  say("Traffic:  {}: {} requests of a real web shop\n", options.trace, grouped(traffic.size()));

  shop_session session(shop.path);
  checker check(shop.size);
  session.each_version([&check](const row_version& r) { check.seed(r); });
  say("\nWhat the database takes, one request at a time:\n{}", cost_table(measure_costs(session, traffic)));

  demo_results results;
  replayer clients(shop.path, options.threads, traffic, check, interrupted);
  try {
    run_phases(options, clients, session, traffic.size(), terminal, results);
  } catch (const std::exception&) {
    if (results.database) say("\n{}", result_table(results));
    throw;
  }
  return report(options, results, check);
}

}  // namespace
}  // namespace seawall::demo

int main(int argc, char** argv) {
  using namespace seawall::demo;
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().code == 0 ? stdout : stderr);
    return options.error().code;
  }
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  try {
    return run(*options);
  } catch (const generation_stopped&) {
    fmt::print(stderr, "\nseawall-demo: interrupted while generating the database; nothing is left behind\n");
    return exit_interrupted;
  } catch (const std::exception& e) {
    std::fflush(stdout);
    fmt::print(stderr, "\nseawall-demo: {}\n", e.what());
    return exit_failed;
  }
}
