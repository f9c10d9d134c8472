#include "seawall/local/cache_options.hpp"

namespace seawall::detail {

result<void> validate_local(const std::string& name, std::size_t capacity, duration ttl, duration idle,
                            duration stale_for) {
  const auto wrong = [&](const char* sentence) {
    return fail(errc::invalid_argument, "local_cache '" + name.substr(0, 100) + "': " + sentence);
  };
  if (name.empty() || name.size() > 100) return wrong("name must have 1 to 100 characters");
  if (capacity < 1 || capacity > std::size_t{1} << 32) return wrong("capacity must be within 1 and 2^32 entries");
  if (ttl <= duration::zero()) return wrong("ttl must be greater than 0; seawall::forever means no TTL");
  if (idle < duration::zero()) return wrong("idle must not be negative; 0 means off");
  if (stale_for < duration::zero()) return wrong("stale_for must not be negative");
  return {};
}

}  // namespace seawall::detail
