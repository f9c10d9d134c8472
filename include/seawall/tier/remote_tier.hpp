// remote_tier: a shared tier over whatever executes Redis commands. Over a Redis client it is made by `redis_tier`.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/cache/prefix_removal.hpp"
#include "seawall/cache/shared_tier.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/metrics/advice.hpp"
#include "seawall/metrics/counter_source.hpp"
#include "seawall/redis/capabilities.hpp"
#include "seawall/redis/tracking.hpp"
#include "seawall/tier/options.hpp"
#include "seawall/tier/stats.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall {

namespace tier {
class core;
}

/// See shared_tier.hpp for the calls. All failures of a call are in its `failure`; none is fatal.
/// Thread safety: all members may be called from any thread. Calls that are under way when it is destroyed end with
/// errc::closed, by the time the target ends their commands.
class remote_tier final : public shared_tier {
 public:
  using find_capabilities = std::function<redis::capabilities()>;
  /// Makes another connection to the server of a key; it ends with the last handle.
  using open_aside = std::function<std::shared_ptr<cmd::target>(std::string_view key)>;

  /// Subscribes to a channel, without waiting for it, until the handle is gone; `on_gap`: messages may be lost.
  using open_channel = std::function<std::shared_ptr<void>(
      std::string channel, std::function<void(std::string_view)> on_message, std::function<void()> on_gap)>;

  /// Over a target that outlives the tier. Whoever owns the target tells `feed` of changes, in order with the replies;
  /// without that caches keep nothing of the tier in their processes. `can` is asked before each command that needs it.
  /// Errors (errc::invalid_argument) name the option.
  static result<std::shared_ptr<remote_tier>> over(cmd::target& where, tier_options how = {},
                                                   find_capabilities can = nullptr);
  /// The same, for a target that is made with the feed. `owner` is given up when the tier is destroyed, and must have
  /// ended all commands by then.
  struct made_target {
    cmd::target* where = nullptr;
    std::shared_ptr<void> owner = nullptr;
    find_capabilities can = nullptr;
    bool cluster = false;  ///< Keys lie in slots, which have servers of their own, and move.
    /// A cluster: makes the target look soon whether slots have moved, and tell the feed. Called while `where` lives.
    std::function<void()> look_for_moves = nullptr;
    open_aside aside = nullptr;  ///< None: the tier tests whether it is told of what it changes itself.
    open_channel channel = nullptr;  ///< For tier::feed_mode::pub_sub. None: nothing is heard.
  };
  using make_target = std::function<result<made_target>(std::shared_ptr<redis::tracking_listener> feed)>;
  static result<std::shared_ptr<remote_tier>> make(const make_target& target, tier_options how = {});

  ~remote_tier() override;
  remote_tier(const remote_tier&) = delete;
  remote_tier& operator=(const remote_tier&) = delete;

  void attach(std::string prefix, std::weak_ptr<tier_listener> listener) override;
  void read(std::shared_ptr<tier_read> what) override;
  void fill(std::shared_ptr<tier_fill> what) override;
  void release(std::string key, const tier_nonce& lease, bool refresh) override;
  void release_plain(std::string key, const tier_nonce& lease) override;
  void invalidate(std::shared_ptr<tier_invalidation> what) override;
  void change_tag(std::shared_ptr<tier_tag_change> what) override;
  void put(std::shared_ptr<tier_put> what) override;
  void wait(const std::atomic<bool>& done) override;
  void hurry() noexcept override;
  duration bound() const noexcept override;
  std::size_t undelivered() const override;

  /// Removes all keys of the store that begin with these bytes, a cache's name and ':' included, by SCAN and UNLINK in
  /// small steps, on all primaries. Blocks until it is done, was stopped, or failed; not in a handler of the target.
  ///
  /// What was there all the time is gone then, as after `invalidate`: from this process, and from the others when they
  /// hear of it. Leases go, too, so that no value is stored whose load began before its key was met. A key that came
  /// while it ran may stay. Needs the commands SCAN and UNLINK, and for `total` DBSIZE.
  ///
  /// Each command may take the target's default timeout; the breaker is not asked. Errors: errc::invalid_argument (an
  /// empty prefix, an option out of its limits), the server's, those of the way to it. What was removed is; nothing
  /// waits for a later delivery, so a call that failed is to be repeated.
  result<prefix_removal> remove_prefix(std::string_view prefix, prefix_options how = {}) override;

  tier_stats stats() const;
  /// What is wrong with the server's settings if it is a cache, the most serious first; `subject` is the setting.
  /// Nothing before it was looked at, soon after the first connection: in a cluster each primary that is connected and
  /// was used. Needs INFO, CONFIG GET to see all, and of a cluster CLUSTER NODES.
  std::vector<seawall::advice> advice() const;
  /// For exporters; they hold it weakly, so a tier that is gone is no longer exported.
  std::shared_ptr<const counter_source> stats_handle() const;
  std::shared_ptr<redis::tracking_listener> feed() const;

 private:
  remote_tier(std::shared_ptr<tier::core> core, std::shared_ptr<void> owner)
      : core_(std::move(core)), owner_(std::move(owner)) {}

  const std::shared_ptr<tier::core> core_;
  std::shared_ptr<void> owner_;
};

}  // namespace seawall
