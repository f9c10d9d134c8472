#include "load_rights.hpp"

#include "entry_format.hpp"
#include "record_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace simulation {
namespace {

namespace format = seawall::tier;

// Of a lease: its nonce, and the reign behind it.
constexpr std::size_t right_size = format::version_at - format::nonce_at;

std::string_view reign_of(std::string_view right) { return right.substr(std::min(right.size(), format::nonce_size)); }

}  // namespace

load_rights::load_rights(bool plain) : plain_(plain) {
  for (int key = 0; key != keys; ++key) {
    rights_[key][to_fill].name = plain ? format::lease_key_of(key_names[key]) : key_names[key];
    rights_[key][to_replace].name = format::lock_key_of(key_names[key]);
  }
}

std::string load_rights::bytes_of(kind which, std::string_view there) const {
  if (plain_ || which == to_replace) return std::string{there.substr(0, right_size)};
  const bool is_lease = there.size() >= format::header_size &&
                        there[format::kind_at] == static_cast<char>(format::stored_kind::lease);
  return is_lease ? std::string{there.substr(format::nonce_at, right_size)} : std::string{};
}

std::optional<std::string> load_rights::look(const sim_node::data& there, std::int64_t now_ms, const change& what) {
  std::optional<std::string> wrong;
  for (int key = 0; key != keys; ++key) {
    for (const kind which : kinds) {
      right& known = rights_[key][which];
      const auto found = there.find(known.name);
      const bool is_there = found != there.end();
      std::string bytes = is_there ? bytes_of(which, found->second.bytes) : std::string{};
      const std::int64_t ends = bytes.empty() ? 0 : found->second.ends_ms.value_or(0);
      if (bytes == known.bytes && ends == known.ends_ms) continue;
      const bool lasts = !known.bytes.empty() && known.ends_ms > now_ms;
      // A read may claim again what it has claimed, as long as it does not load by it. Under another reign it may be
      // another read of the process that takes over.
      const bool same_reign = lasts && !bytes.empty() && reign_of(known.bytes) == reign_of(bytes);
      const bool given_up = lasts && (bytes.empty() || same_reign) && what.gives_up && what.by == known.holder;
      const bool renewed = same_reign && known.unused && what.by && what.by == known.holder;
      if (same_reign && !renewed && what.by) {
        wrong = fmt::format("process {}: takes the right to load key {} from its holder", process_of(*what.by), key);
      }
      const bool lost = known.holder && known.unused && !given_up && !renewed;
      if (lost && lives_[process_of(*known.holder)] == *known.holder) ++lost_[process_of(*known.holder)][key];
      known.bytes = std::move(bytes);
      known.holder = known.bytes.empty() ? std::nullopt : what.by;
      known.unused = true;
      known.ends_ms = ends;
    }
  }
  return wrong;
}

bool load_rights::use(int life, int key) {
  int& lost = lost_[process_of(life)][key];
  if (lost != 0) return lost-- != 0;
  return std::ranges::any_of(rights_[key], [&](right& one) {
    return one.holder == life && std::exchange(one.unused, false);
  });
}

void load_rights::begins(int life) {
  lives_[process_of(life)] = life;
  lost_[process_of(life)] = {};
}

}  // namespace simulation
