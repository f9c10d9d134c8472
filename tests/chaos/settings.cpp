#include "settings.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <random>

namespace chaos {
namespace {

using seawall::tier::feed_mode;

const std::map<std::string, feed_mode> feeds{{"tracking", feed_mode::tracking},
                                             {"broadcast", feed_mode::broadcast},
                                             {"pub_sub", feed_mode::pub_sub},
                                             {"none", feed_mode::none}};

}  // namespace

std::string name_of(feed_mode feed) {
  return std::ranges::find(feeds, feed, [](const auto& one) { return one.second; })->first;
}

parsed parse(int count, char** words) {
  parsed to;
  settings& how = to.how;
  CLI::App app{"Processes that share a Redis, which is killed, frozen, flushed and failed over.\n"
               "Every answer is checked against the promises of docs/guide/consistency.md."};
  app.add_option("--scenario", how.scenario,
                 "tier: processes that share a Redis; capture: change capture from PostgreSQL;\n"
                 "write-behind: a log, over SQLite and PostgreSQL")
      ->check(CLI::IsMember({"tier", "capture", "write-behind"}))
      ->capture_default_str();
  app.add_option("--writes", how.writes, "of the scenario capture")
      ->check(CLI::Range(100, 100'000'000))
      ->capture_default_str();
  app.add_option("--mode", how.mode, "of the scenario capture: from the server's log, or by triggers")
      ->check(CLI::IsMember({"log", "trigger"}))
      ->capture_default_str();
  app.add_option("--kills", how.kills, "of the scenario write-behind")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  app.add_option("--level", how.level, "of the scenario write-behind: what has the log, which is killed, too")
      ->check(CLI::IsMember({"local_log", "redis", "redis_replicated"}))
      ->capture_default_str();
  std::string topology = "single";
  app.add_option("--topology", topology,
                 "of the scenario tier: single, sentinel (1 + 1, 3 sentinels), cluster (3 + 3), or all")
      ->check(CLI::IsMember({"single", "sentinel", "cluster", "all"}))
      ->capture_default_str();
  std::string feed = name_of(how.feed);
  app.add_option("--feed", feed,
                 "of the scenario tier: how processes hear of changes: tracking, broadcast, pub_sub, none")
      ->check(CLI::IsMember(feeds))
      ->capture_default_str();
  app.add_option("--seconds", how.seconds, "of each topology of the scenario tier")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  app.add_option("--reads", how.reads, "go on until so many reads of each topology are checked, instead")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000'000}));
  app.add_option("--processes", how.processes, "")
      ->check(CLI::Range(std::uint64_t{2}, std::uint64_t{max_processes}))
      ->capture_default_str();
  app.add_option("--threads", how.threads, "readers of each process")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--keys", how.keys, "")->check(CLI::Range(16, 100'000))->capture_default_str();
  app.add_option("--bound", how.bound_ms, "D in milliseconds")->check(CLI::Range(50, 60'000))->capture_default_str();
  app.add_option("--seed", how.seed, "of the faults and of what is asked for; 0: by chance")
      ->check(CLI::Range(0, 1'000'000'000));
  app.add_option("--faults", how.faults, "none, or some of: processes, network, servers, memory, failover, slots")
      ->delimiter(',')
      ->check(CLI::IsMember({"none", "processes", "network", "servers", "memory", "failover", "slots"}));
  app.add_flag("--verbose", how.verbose, "print each fault");
  const std::map<std::string, mischief> ways{
      {"silent", mischief::silent}, {"early", mischief::early}, {"deaf", mischief::deaf}};
  app.add_option("--break", how.wrong, "")->transform(CLI::CheckedTransformer(ways))->group("");
  app.add_option("--shared", how.shared, "")->group("");
  app.add_option("--index", how.index, "")->group("");
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& end) {
    const int status = app.exit(end);
    to.status = status == 0 ? 0 : 2;
    return to;
  }
  how.feed = feeds.at(feed);
  how.topologies = {topology};
  if (topology == "all") how.topologies = {"single", "sentinel", "cluster"};
  if (how.seed == 0) how.seed = std::random_device{}() % 1'000'000 + 1;
  return to;
}

}  // namespace chaos
