// server_advice: what is wrong with a server's settings if it is used as a cache. Pure functions.
#pragma once

#include "seawall/cmd/server_types.hpp"
#include "seawall/metrics/advice.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::tier {

/// What is known of a server; a member without a value is not.
struct server_setup {
  std::optional<std::uint64_t> maxmemory{};       ///< Bytes; 0: no limit.
  std::optional<std::string> policy{};            ///< maxmemory-policy
  std::optional<bool> snapshots{};                ///< save
  std::optional<bool> append_only{};              ///< appendonly
  std::optional<std::uint64_t> tracking_keys{};   ///< tracking-table-max-keys; 0: no limit.
  std::optional<std::uint64_t> tracked_keys{};    ///< Of that, in use.
  std::optional<std::uint64_t> replicas{};        ///< That are connected.
  std::optional<std::uint64_t> least_replicas{};  ///< min-replicas-to-write
  std::optional<std::uint64_t> primaries = 1;     ///< That share the keys with it, itself included.
  std::string address{};                          ///< Of a node of a cluster.

  /// What INFO tells.
  void learn(const cmd::server_info& about);
  /// A setting that CONFIG GET tells; those that do not matter are passed over.
  void learn(std::string_view name, std::string_view value);
  /// What CLUSTER NODES tells.
  void learn_nodes(std::string_view text);
};

/// The most serious first; `subject` is the name of the setting. `may_hold`: how many keys whose changes it is to tell
/// the caches may keep in memory, of all servers together; 0: nobody knows.
std::vector<advice> advise(const server_setup& seen, std::uint64_t may_hold = 0);
/// Of several servers: what is said of more than one is said once. Each begins with the addresses that are known.
std::vector<advice> advise(const std::vector<server_setup>& servers, std::uint64_t may_hold);

}  // namespace seawall::tier
