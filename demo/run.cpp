#include "run.hpp"

#include "answer_codec.hpp"
#include "checker.hpp"
#include "crew.hpp"
#include "front.hpp"
#include "measure.hpp"
#include "prepared_shop.hpp"
#include "redis_place.hpp"
#include "replay.hpp"
#include "report.hpp"
#include "say.hpp"
#include "setup.hpp"
#include "sqlite.hpp"
#include "traffic.hpp"

#include <fmt/core.h>

#include <unistd.h>

#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <unordered_set>
#include <utility>

namespace seawall::demo {
namespace {

/// The Redis of the run, if it has one.
struct shared_place {
  std::optional<private_redis> own;
  std::shared_ptr<remote_tier> tier;
  bool told = false;  ///< that the private one has ended

  /// Finds or starts it, and puts its URL into the options.
  explicit shared_place(demo_options& options) {
    if (!options.shared()) return;
    if (options.redis.empty()) options.redis = own.emplace().url();
    const auto version = look_at_server(options.redis);
    if (!version) throw std::runtime_error(version.error().message());
    auto made = shop_tier(options.redis);
    if (!made) throw std::runtime_error("--redis: " + made.error().message());
    tier = *std::move(made);
    say("Redis:    {}, {}\n", *version,
        own ? fmt::format("for this run alone: pid {}, socket {}", own->pid(), own->socket())
            : without_password(options.redis));
  }
};

/// The phases, one after another, with all processes.
class phases {
 public:
  phases(const demo_options& options, replayer& clients, shared_place& place, crew& others, board& shared,
         const std::atomic<bool>& stop)
      : options_(options), clients_(clients), place_(place), others_(others), board_(shared), stop_(stop),
        terminal_(::isatty(STDOUT_FILENO) == 1) {}

  void run_all(shop_session& session, std::size_t requests, demo_results& results) {
    const double seconds = options_.seconds;
    const std::string clients =
        options_.processes > 1 ? fmt::format("{} processes of {} client threads", options_.processes, options_.threads)
                               : fmt::format("{} client threads", options_.threads);
    say("\nStraight at the database: {}, {} % writes, {} s\n", clients, writes_per_hundred, options_.seconds);
    const auto straight = straight_front();
    results.database = run({phase_kind::straight, *straight, seconds, 0});
    if (stop_) return;
    session.tidy();
    const auto through = seawall_front(front_options_of(options_, board_, place_.tier));
    say("\nThrough Seawall: the first pass of the trace fills the cache (not part of the figures)\n");
    results.first_pass = run({phase_kind::through_seawall, *through, 0, requests});
    say("  {} requests in {:.1f} s, {} database queries, {} stale answers\n", grouped(results.first_pass->requests()),
        results.first_pass->seconds, grouped(results.first_pass->queries), results.first_pass->stale);
    if (stop_) return;
    session.tidy();
    say("\nThrough Seawall: the same traffic from its start, {} s\n", options_.seconds);
    results.seawall = run({phase_kind::through_seawall, *through, seconds, 0});
  }

 private:
  /// Runs a phase with a live line per second, or with a progress bar when it is to serve a number of requests.
  figures run(const phase& p) {
    progress_bar bar(terminal_);
    const auto live = [&](const figures& second, const figures& so_far) {
      if (p.requests > 0) {
        bar.show(fmt::format("{} requests/s", grouped(static_cast<std::uint64_t>(second.requests_per_second()))),
                 static_cast<double>(so_far.requests()) / static_cast<double>(p.requests));
      } else if (place_.tier && p.kind == phase_kind::through_seawall) {
        say("{}\n", shared_live_line(second, so_far, p.through.without_shared()));
      } else {
        say("{}\n", live_line(second, so_far));
      }
    };
    const phase_result result = clients_.lead(p, live, [this] { return attend(); });
    bar.end();
    if (!result.failure.empty()) throw std::runtime_error(result.failure);
    return result.measured;
  }

  bool attend() {
    for (const std::string& found : others_.attend()) say("{}\n", found);
    if (place_.own && !place_.own->running() && !std::exchange(place_.told, true)) {
      say("The private Redis has ended: the demo goes on without it.\n");
    }
    return !stop_;
  }

  const demo_options& options_;
  replayer& clients_;
  shared_place& place_;
  crew& others_;
  board& board_;
  const std::atomic<bool>& stop_;
  const bool terminal_;
};

int report(const demo_options& options, const demo_results& results, board& shared, bool interrupted) {
  say("\n{}(ratio: times more requests and writes, times lower latencies)\n\n{}", result_table(results),
      results.bound ? shared_conclusions(results) : conclusions(results));
  for (std::size_t i = 0; i < shared.shape().processes; ++i) {
    for (const shared_text& complaint : shared.process(i).complaints) {
      if (const auto text = complaint.get(); !text.empty()) say("  {}\n", text);
    }
  }
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
  if (!results.lost.empty()) {
    say("FAILED: a process ended too early.\n");
    return exit_failed;
  }
  return 0;
}

/// Takes the run's entries out of a server that is not the run's own.
void clean_up(const demo_options& options, const board& shared, const std::vector<request_key>& traffic) {
  std::unordered_set<request_key, seawall::hash<request_key>> asked(traffic.begin(), traffic.end());
  const std::string prefix = shared_name_of(shared) + ':';
  std::vector<std::string> keys;
  keys.reserve(asked.size());
  for (const request_key& key : asked) codec<request_key>::encode(key, keys.emplace_back(prefix));
  remove_keys(options.redis, keys);
}

int run_on(const demo_options& options, shared_place& place, const std::atomic<bool>& stop) {
  const prepared_shop shop(options, ::isatty(STDOUT_FILENO) == 1, stop);
  demo_options inner = options;
  inner.database = shop.database();
  board shared({static_cast<std::uint32_t>(options.processes), static_cast<std::uint32_t>(options.threads),
                shop.size()});
  // SQLite's connections do not survive a fork: the others begin before there is one.
  crew others(inner, shared);
  const auto traffic = load_traffic(options.trace, find_trace_directory(), shop.size());
  say("Traffic:  {}: {} requests of a real web shop\n", options.trace, grouped(traffic.size()));
  if (options.processes > 1) {
    say("Others:   {} processes like this one: pid {}\n", options.processes - 1, others.pids());
  }

  const auto shop_at = shop_place_at(shop.database(), 1);
  shop_session session(shop_at->connect());
  session.each_version([&shared](const row_version& r) { shared.commits().seed(r); });
  say("\nWhat the database takes, one request at a time:\n{}", cost_table(measure_costs(session, traffic)));

  demo_results results;
  results.processes = static_cast<std::size_t>(options.processes);
  if (place.tier) results.bound = place.tier->bound();
  checker check(shared.commits(), results.bound);
  replayer clients(replay_options_of(inner), traffic, check, shared);
  shared.process(0).ready = true;
  if (!others.wait_ready(stop)) return exit_interrupted;
  try {
    phases(options, clients, place, others, shared, stop).run_all(session, traffic.size(), results);
  } catch (const std::exception&) {
    if (results.database) say("\n{}", result_table(results));
    throw;
  }
  results.lost = others.lost();
  results.untold = shared.untold();
  if (place.tier && !place.own) clean_up(options, shared, traffic);
  return report(options, results, shared, stop);
}

}  // namespace

int run(const demo_options& given, const std::atomic<bool>& stop) {
  tune_sqlite();
  demo_options options = given;
  shared_place place(options);
  return run_on(options, place, stop);
}

}  // namespace seawall::demo
