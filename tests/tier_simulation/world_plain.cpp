#include "world.hpp"

#include "record_keys.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace simulation {

using seawall::tier::lease_key_of;

// A value that ends before the lease of a load leaves no trace: see docs/guide/plain.md.
duration world::ttl_elsewhere() const { return plain_ ? std::max(policy_.ttl, load_deadline_) : duration{}; }

/// A program in another language commits, and stores its value or removes the key, with its lease.
void world::write_elsewhere() {
  const int key = static_cast<int>(chance_.below(keys));
  if (!tables_.is_free(key)) return;
  const int version = ++committed_[key];
  const std::string_view name = key_names[key];
  const std::string lease = lease_key_of(name);
  const std::string text = std::to_string(version);
  std::int64_t lasts_ms = ttl_elsewhere() / 1ms;
  const auto there = primary().keys().find(lease);  // the server's clock may have gone back since it was taken
  if (there != primary().keys().end()) {
    lasts_ms = std::max(lasts_ms, there->second.ends_ms.value_or(0) - server_now_ms_ + 1);
  }
  const std::string ttl = std::to_string(lasts_ms);
  const bool stores = version % absent_every != 0 && !primary().out_of_memory && chance_.one_in(2);
  const std::array<std::string_view, 5> set{"SET", name, text, "PX", ttl};
  const std::array<std::string_view, 3> unlink{"UNLINK", name, lease};
  note("another program {} key {} for version {}", stores ? "stores" : "removes", key, version);
  ++seen_[stores ? "another program stored a value" : "another program removed a value"];
  sim_connection other;
  primary().execute(other, stores ? arguments{set} : arguments{unlink});
  primary().tell_own_news(other);
  if (stores) stored_elsewhere_[key] = version;
  look_at_store();
  look_at_rights({});
  acknowledge(key, version);
}

/// A load is under way that may have begun before another program stored what is there.
bool world::meets_a_lease_here(const std::string& name) {
  if (!plain_) return false;
  for (int key = 0; key != keys; ++key) {
    if (name != key_names[key] || !primary().keys().contains(lease_key_of(name))) continue;
    return primary().keys().find(name)->second.bytes == std::to_string(stored_elsewhere_[key]);
  }
  return false;
}

}  // namespace simulation
