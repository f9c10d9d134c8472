// The traces that are drawn instead of read: Zipf's law by itself, under scans, with a loop, with a hot set that moves;
// draws from a histogram of popularity; and a phase of pure recency before and after a loop. Deterministic.
#pragma once

#include "random_keys.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::bench {

using key_trace = std::vector<std::uint64_t>;

inline constexpr std::size_t synthetic_keys = 1'000'000;
inline constexpr std::size_t synthetic_requests = 5'000'000;
inline constexpr std::uint64_t loop_base = std::uint64_t{1} << 40;  // far from scrambled ranks, as they are below 2^20

inline key_trace zipf_trace(double exponent, std::uint64_t seed) {
  xoshiro random{seed};
  const zipf rank{exponent, synthetic_keys};
  key_trace keys(synthetic_requests);
  for (auto& key : keys) key = scramble(rank(random));
  return keys;
}

/// After every 100,000 requests a scan of 50,000 keys that were never seen and never come back.
inline key_trace scan_trace() {
  constexpr std::size_t period = 100'000;
  constexpr std::size_t length = 50'000;
  xoshiro random{43};
  const zipf rank{0.9, synthetic_keys};
  key_trace keys;
  keys.reserve(synthetic_requests);
  for (std::uint64_t unseen = loop_base; keys.size() < synthetic_requests;) {
    const std::size_t left = synthetic_requests - keys.size();
    for (std::size_t i = std::min(period, left); i != 0; --i) keys.push_back(scramble(rank(random)));
    for (std::size_t i = std::min(length, synthetic_requests - keys.size()); i != 0; --i) keys.push_back(unseen++);
  }
  return keys;
}

/// Three requests in ten walk around a loop of 60,000 keys.
inline key_trace loop_trace() {
  constexpr std::uint64_t length = 60'000;
  xoshiro random{44};
  const zipf rank{0.9, synthetic_keys};
  key_trace keys(synthetic_requests);
  std::uint64_t at = 0;
  for (auto& key : keys) {
    if (random.uniform() < 0.3) key = loop_base + at++ % length;
    else key = scramble(rank(random));
  }
  return keys;
}

/// The hot set moves by a seventh of all keys after every 500,000 requests.
inline key_trace shift_trace() {
  xoshiro random{45};
  const zipf rank{0.99, synthetic_keys};
  key_trace keys(synthetic_requests);
  for (std::size_t i = 0; i != keys.size(); ++i) {
    keys[i] = scramble((rank(random) + i / 500'000 * (synthetic_keys / 7)) % synthetic_keys);
  }
  return keys;
}

/// How to draw from a file with a line `KEYS REQUESTS` per bucket of keys that are alike.
struct popularity {
  const char* name;
  const char* file;
  std::uint64_t seed;
  double share;  ///< Of the keys, sampled.
  double once;   ///< Of the requests, for a key that never comes again.
};

inline constexpr popularity popularities[] = {
    {"meta-kvcache", "pop_kvcache_reg.txt", 46, 0.02, 0.1347},
    {"meta-leader", "pop_graph_cache_leader_fbobj.txt", 47, 0.05, 0.2315},
    {"meta-cdn", "pop_cdn.txt", 48, 0.1, 0.0088},
};

/// Empty when the file is not there or holds nothing of the kind.
inline key_trace popularity_trace(const popularity& how, const std::filesystem::path& folder) {
  struct bucket {
    double up_to;
    std::uint64_t first;
    std::uint64_t count;
  };
  std::ifstream in{folder / how.file};
  xoshiro random{how.seed};
  std::vector<bucket> buckets;
  double total = 0;
  std::uint64_t first = 0;
  for (double keys = 0, weight = 0; in >> keys >> weight;) {
    const double wanted = keys * how.share;
    auto count = static_cast<std::uint64_t>(wanted);
    if (random.uniform() < wanted - static_cast<double>(count)) ++count;
    if (count == 0) continue;
    total += weight * static_cast<double>(count) / keys;
    buckets.push_back({total, first, count});
    first += count;
  }
  if (buckets.empty()) return {};
  key_trace requests(synthetic_requests);
  std::uint64_t once = std::uint64_t{1} << 48;
  for (auto& key : requests) {
    if (random.uniform() < how.once) {
      key = scramble(once++);
      continue;
    }
    const double u = random.uniform() * total;
    const auto found = std::lower_bound(buckets.begin(), buckets.end() - 1, u,
                                        [](const bucket& one, double wanted) { return one.up_to < wanted; });
    key = scramble(found->first + random.next() % found->count);
  }
  return requests;
}

/// Half the keys come back once, soon after; the others never. A third of the requests can hit, and only recency tells.
inline key_trace recency_trace(std::uint64_t seed) {
  constexpr std::size_t requests = 135'000;
  constexpr std::size_t soon = 300;
  xoshiro random{seed};
  key_trace keys;
  std::vector<std::uint64_t> due;  // a ring of what comes back
  for (std::uint64_t next = seed << 32; keys.size() < requests;) {
    keys.push_back(next++);
    keys.push_back(next);
    due.push_back(next++);
    if (due.size() > soon) {
      std::swap(due[random.next() % (soon / 4)], due.front());
      keys.push_back(due.front());
      due.erase(due.begin());
    }
  }
  return keys;
}

/// What an adaptive policy must survive: recency, five times through a loop, recency.
inline key_trace stress_trace(const key_trace& recency, const key_trace& loop) {
  key_trace keys = recency;
  for (int i = 0; i != 5; ++i) keys.insert(keys.end(), loop.begin(), loop.end());
  keys.insert(keys.end(), recency.begin(), recency.end());
  return keys;
}

/// `stress` without the recorded traces it is made of.
inline key_trace made_stress_trace() {
  key_trace loop(500'000);
  for (std::size_t i = 0; i != loop.size(); ++i) loop[i] = loop_base + i % 1011;
  return stress_trace(recency_trace(49), loop);
}

/// Nothing when the name is not one of ours, or its histogram is not in the folder.
inline std::optional<key_trace> synthetic_trace(std::string_view name, const std::filesystem::path& folder) {
  if (name == "zipf070") return zipf_trace(0.7, 42);
  if (name == "zipf090") return zipf_trace(0.9, 42);
  if (name == "zipf099") return zipf_trace(0.99, 42);
  if (name == "zipf110") return zipf_trace(1.1, 42);
  if (name == "scanmix") return scan_trace();
  if (name == "loopmix") return loop_trace();
  if (name == "shift") return shift_trace();
  if (name == "stress-made") return made_stress_trace();
  for (const popularity& how : popularities) {
    if (name != how.name) continue;
    key_trace keys = popularity_trace(how, folder);
    if (!keys.empty()) return keys;
  }
  return std::nullopt;
}

}  // namespace seawall::bench
