// watch: what a tier does, while it is used, to see that its servers are fit for it: once it looks at the settings of
// each, in a cluster over a connection of its own; now and then it sends up a canary (canary.hpp), over another.
//
// A connection that answers and does not tell (a proxy that drops what nobody asked for, a server that has forgotten
// who reads what) is the one failure that signs of life do not show: old values would stay in the process. From then on
// such a connection proves nothing.
#pragma once

#include "canary.hpp"
#include "news.hpp"
#include "seawall/base/random.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/metrics/advice.hpp"
#include "seawall/redis/cluster_slot.hpp"
#include "seawall/tier/options.hpp"
#include "seawall/tier/remote_tier.hpp"
#include "server_advice.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::tier {

class core;

/// Thread safety: all members may be called from any thread; the log and calls are not called under its lock.
class watch {
 public:
  watch(const tier_options& how, random_source& random);

  /// Before the first call.
  void use(remote_tier::open_aside aside, remote_tier::open_channel channel) {
    aside_ = std::move(aside);
    news_.use(std::move(channel));
  }
  /// The server of that connection and slot (0: there is one server) has answered a sign of life: begins what is due.
  void begin_due(const std::shared_ptr<core>& of, std::uint64_t generation, redis::slot_number slot);
  /// A new connection: a canary is due.
  void connected(const std::shared_ptr<core>& of, std::uint64_t generation);
  /// The connection is gone. What its server's settings are is not known any more.
  void lost(std::uint64_t generation);
  void close();

  /// The settings of the connection's server, and why some of them are not known. `may_hold` as in `advise`.
  void looked(std::uint64_t generation, const server_setup& seen, const error* why, std::uint64_t may_hold);
  std::vector<advice> said(std::uint64_t may_hold) const;

  /// Of one canary: its key, and where it is changed; none: over the connection that is to tell of it.
  struct cage {
    std::string key{};
    std::shared_ptr<cmd::target> aside{};
  };
  cage next_canary();
  void canary_read(std::uint64_t generation);
  void canary_changes(time_point now);
  /// The end of its call, and why it could not be tested.
  void canary_ended(time_point now, const error* why);

  /// True: the key is a canary's.
  bool heard(std::string_view key, time_point now);
  std::optional<canary::verdict> beat(std::uint64_t generation, time_point sent);
  /// Whether the last canary was not told. The answer of before comes back.
  bool set_silent(bool silent);
  bool silent() const;

  duration last_canary() const;
  duration slowest_canary() const;

 private:
  const tier_options& how_;
  random_source& random_;
  remote_tier::open_aside aside_;
  news news_;

  mutable std::mutex mutex_;
  // All below guarded by mutex_.
  bool closed_ = false;
  struct look {
    std::uint64_t generation = 0;
    std::optional<server_setup> seen{};  // once it has ended
  };
  std::vector<look> looks_;
  std::set<std::string> told_;  // to the log
  canary canary_;
  bool silent_ = false;
  bool canary_away_ = false;  // its call is under way
  bool forbidden_ = false;
  time_point canary_due_ = time_point::min();
  cage cage_;
  int canaries_ = 0;          // of this cage
  duration last_{};
  duration slowest_{};
};

}  // namespace seawall::tier
