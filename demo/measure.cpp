#include "measure.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace seawall::demo {

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

}  // namespace seawall::demo
