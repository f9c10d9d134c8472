#include "server_advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <ranges>
#include <utility>

namespace seawall::tier {
namespace {

std::optional<std::uint64_t> number_of(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failed != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return number;
}

class collector {
 public:
  void add(advice_level level, std::string setting, std::string text) {
    const auto behind = std::ranges::upper_bound(all_, level, std::ranges::greater{}, &advice::level);
    all_.insert(behind, {.level = level, .subject = std::move(setting), .text = std::move(text)});
  }
  std::vector<advice> take() && { return std::move(all_); }

 private:
  std::vector<advice> all_;  // the worst first
};

void advise_memory(const server_setup& seen, collector& to) {
  if (seen.maxmemory == 0u) {
    to.add(advice_level::poor, "maxmemory",
           "There is no limit on memory: the server grows until the system ends it. Set maxmemory, and a policy.");
  }
  if (!seen.policy) return;
  if (*seen.policy == "noeviction" && seen.maxmemory != 0u) {
    to.add(advice_level::poor, "maxmemory-policy",
           "It is noeviction: once the server is full it stores nothing new, and each process loads for itself. "
           "volatile-ttl or allkeys-lfu fit a cache.");
  } else if (*seen.policy == "volatile-lru" || *seen.policy == "volatile-lfu") {
    to.add(advice_level::fair, "maxmemory-policy",
           fmt::format("It is {}: entries without a TTL, and keys of other programs, are never evicted; once they fill "
                       "the server, it stores nothing new.", *seen.policy));
  } else if (seen.policy->ends_with("-random")) {
    to.add(advice_level::fair, "maxmemory-policy",
           fmt::format("It is {}: it evicts what is used most as soon as anything else, records of tags included, each "
                       "of which takes its entries along. volatile-ttl or allkeys-lfu fit a cache.", *seen.policy));
  }
}

void advise_persistence(const server_setup& seen, collector& to) {
  const char* const why = "after a restart all entries count as suspect and are loaded anew, so it only costs time.";
  if (seen.snapshots == true) to.add(advice_level::fair, "save", fmt::format("Snapshots are on: {}", why));
  if (seen.append_only == true) {
    to.add(advice_level::fair, "appendonly", fmt::format("The append-only file is on: {}", why));
  }
}

// What other processes read counts as well, but they mostly hold the same keys.
void advise_tracking(const server_setup& seen, std::uint64_t may_hold, collector& to) {
  const std::uint64_t room = seen.tracking_keys.value_or(0);
  if (room == 0) return;
  const char* const setting = "tracking-table-max-keys";
  if (seen.tracked_keys && *seen.tracked_keys >= room / 10 * 9) {
    to.add(advice_level::fair, setting,
           fmt::format("Of {} keys whose readers the server remembers, {} are in use: beyond that it takes keys out of "
                       "the memory of processes. Raise it above what the caches hold.",
                       room, *seen.tracked_keys));
  } else if (seen.primaries && may_hold > room * *seen.primaries) {
    to.add(advice_level::fair, setting,
           fmt::format("The server remembers the readers of {} keys, and the caches of this process may hold {} in "
                       "memory{}: beyond that it takes keys out of there. Raise it, or hold fewer.",
                       room, may_hold, seen.primaries == 1u ? "" : fmt::format(", of {} servers", *seen.primaries)));
  }
}

void advise_replicas(const server_setup& seen, collector& to) {
  if (seen.replicas.value_or(0) == 0 || seen.least_replicas != 0u) return;
  to.add(advice_level::fair, "min-replicas-to-write",
         "It is 0, and there are replicas: a primary that was cut off and replaced goes on accepting invalidations and "
         "entries that nobody else sees. With 1 it stops within min-replicas-max-lag.");
}

}  // namespace

void server_setup::learn(const cmd::server_info& about) {
  const auto set = [](auto& member, auto value) {
    if (value) member = *value;
  };
  set(maxmemory, number_of(about.find("maxmemory")));
  set(policy, about.find("maxmemory_policy"));
  if (const auto on = number_of(about.find("aof_enabled"))) append_only = *on != 0;
  set(tracked_keys, number_of(about.find("tracking_total_keys")));
  set(replicas, number_of(about.find("connected_slaves")));
  // Replicas are counted there if the setting is not 0.
  if (replicas) least_replicas = about.find("min_slaves_good_slaves") ? 1 : 0;
}

void server_setup::learn(std::string_view name, std::string_view value) {
  if (name == "maxmemory") maxmemory = number_of(value);
  else if (name == "maxmemory-policy") policy = value;
  else if (name == "save") snapshots = !value.empty();
  else if (name == "appendonly") append_only = value == "yes";
  else if (name == "tracking-table-max-keys") tracking_keys = number_of(value);
  else if (name == "min-replicas-to-write") least_replicas = number_of(value);
}

// A line for each node: id, address, flags, its primary, four more words, and the slots of those that have some.
void server_setup::learn_nodes(std::string_view text) {
  std::uint64_t with_slots = 0;
  for (const auto line : std::views::split(text, '\n')) {
    std::vector<std::string_view> words;
    for (const auto word : std::views::split(line, ' ')) words.emplace_back(word.begin(), word.end());
    if (words.size() < 8) continue;
    const std::string_view flags = words[2];
    if (flags.find("myself") != std::string_view::npos) address = words[1].substr(0, words[1].find('@'));
    if (flags.find("master") != std::string_view::npos && words.size() > 8) ++with_slots;
  }
  if (with_slots != 0) primaries = with_slots;
}

std::vector<advice> advise(const server_setup& seen, std::uint64_t may_hold) {
  collector all;
  advise_memory(seen, all);
  advise_persistence(seen, all);
  advise_tracking(seen, may_hold, all);
  advise_replicas(seen, all);
  return std::move(all).take();
}

std::vector<advice> advise(const std::vector<server_setup>& servers, std::uint64_t may_hold) {
  struct said {
    advice what;
    std::string where{};
  };
  std::vector<said> all;
  for (const server_setup& one : servers) {
    for (advice& what : advise(one, may_hold)) {
      auto same = std::ranges::find(all, what, &said::what);
      if (same == all.end()) same = all.insert(all.end(), {.what = std::move(what)});
      if (!one.address.empty()) same->where += (same->where.empty() ? "" : ", ") + one.address;
    }
  }
  collector sorted;
  for (said& one : all) {
    const std::string where = one.where.empty() ? "" : fmt::format("At {}: ", one.where);
    sorted.add(one.what.level, std::move(one.what.subject), where + one.what.text);
  }
  return std::move(sorted).take();
}

}  // namespace seawall::tier
