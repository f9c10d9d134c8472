#include "seawall/eviction/policy_name.hpp"

#include <array>
#include <string>

namespace seawall {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 12> names{
    "adaptive",     "lru",        "lfu",          "fifo",         "sieve",
    "s3-fifo",      "random",     "volatile-lru", "volatile-lfu", "volatile-random",
    "volatile-ttl", "noeviction",
};
static_assert(names[static_cast<std::size_t>(eviction_policy::noeviction)] == "noeviction");

constexpr std::string_view redis_prefix = "allkeys-";

}  // namespace

std::string_view to_string(eviction_policy policy) noexcept {
  const auto index = static_cast<std::size_t>(policy);
  return index < names.size() ? names[index] : "unknown";
}

result<eviction_policy> parse_eviction_policy(std::string_view name) {
  std::string_view bare = name;
  if (bare.starts_with(redis_prefix)) {
    bare.remove_prefix(redis_prefix.size());
    if (bare != "lru" && bare != "lfu" && bare != "random") bare = {};
  }
  for (std::size_t i = 0; i != names.size(); ++i) {
    if (bare == names[i]) return static_cast<eviction_policy>(i);
  }
  std::string message = "unknown eviction policy \"" + std::string(name) + "\"; there are";
  for (const std::string_view each : names) message.append(each == names.front() ? " " : ", ").append(each);
  return fail(errc::invalid_argument, std::move(message));
}

}  // namespace seawall
