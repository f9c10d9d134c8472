// put_call: a writer's value goes to the shared tier, for a thread that waits and for one that does not.
#pragma once

#include "seawall/cache/core.hpp"
#include "seawall/cache/tier_question.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace seawall {

/// In the process before and after the tier, as an invalidation. The value itself is not kept in the process: nothing
/// proves it, and by the time that it could be stored a reader may have been told of a newer one.
template <class Core>
class put_call final : public std::enable_shared_from_this<put_call<Core>> {
 public:
  using K = typename Core::key_type;
  using V = typename Core::value_type;
  using ending = std::move_only_function<void()>;

  static std::optional<local::entry_times> times_of(Core& core, const value_ptr<V>& value, const entry_policy& policy,
                                                    time_point now) {
    return value ? policy.times_of_value(now, duration::zero(), core.random_.uniform())
                 : policy.times_of_absence(now, duration::zero(), core.random_.uniform());
  }

  /// Requires: a shared tier, a version. Waits for it.
  static void run(Core& core, const K& key, std::size_t hash, const value_ptr<V>& value,
                  const local::entry_times& times, const tag_list& tags, std::uint64_t version) {
    const auto what = std::make_shared<awaited<tier_put>>();
    what->caller_waits = true;
    if (!prepare(core, *what, key, value, times, version)) {
      core.invalidate(key, hash);
      return;
    }
    core.drop_older(key, hash, version, true);
    find_stamps(*what, *core.read_tier(key), tags);
    core.tier().tier().put(what);
    core.tier().tier().wait(what->done);
    core.forget(core.names_of_other_versions(key));
    core.drop_older(key, hash, version, true);
  }

  /// core::put without waiting; `then` is called at the end, perhaps at once, from any thread.
  static void begin(std::shared_ptr<Core> core, K key, std::size_t hash, value_ptr<V> value,
                    const entry_policy& policy, const tag_list& tags, std::uint64_t version, ending then) {
    if (!core->shared()) {
      core->put(std::move(key), hash, std::move(value), policy, tags, version);
      return then();
    }
    const auto times = times_of(*core, value, policy, core->time().now());
    auto what = std::make_shared<continued<tier_put>>();
    const bool goes_there = version != 0 && times && !core->plain();
    if (!goes_there || !prepare(*core, *what, key, value, *times, version)) {
      return core->begin_invalidate(std::move(key), hash, [end = std::move(then)](bool) mutable { end(); });
    }
    const auto call = std::make_shared<put_call>(std::move(core), std::move(key), hash, tags, std::move(what));
    call->then_ = std::move(then);
    call->start();
  }

  put_call(std::shared_ptr<Core> core, K key, std::size_t hash, const tag_list& tags,
           std::shared_ptr<continued<tier_put>> what)
      : core_(std::move(core)), key_(std::move(key)), hash_(hash), tags_(tags), what_(std::move(what)) {}

 private:
  // False: the value's codec cannot write it, so others must load it.
  static bool prepare(Core& core, tier_put& what, const K& key, const value_ptr<V>& value,
                      const local::entry_times& times, std::uint64_t version) {
    what.key = core.printed(key);
    try {
      if (value) core.tier().encode(*value, what.entry.payload);
    } catch (...) {
      core.count(core.class_of(key), cache_counter::store_failures);
      return false;
    }
    Core::set_times(what.entry, times, core.time().now());
    what.entry.absent = value == nullptr;
    what.entry.version = version;
    what.entry.schema = core.tier().schema();
    return true;
  }

  // An entry belongs to generations from before its load, and the one that is replaced has them. Where they are not
  // known, the entry is one that no reader takes: it stands for an invalidation.
  static void find_stamps(tier_put& what, tier_read& seen, const tag_list& tags) {
    constexpr tag_stamp of_no_generation{};
    auto& known = seen.entry.tags;
    const auto has = [&](std::uint64_t tag) { return std::ranges::find(known, tag, &tag_stamp::tag) != known.end(); };
    const bool all = seen.is == tier_read::outcome::hit && has(0) && std::ranges::all_of(tags.hashes(), has);
    if (all) what.entry.tags = std::move(known);
    else what.entry.tags = {of_no_generation};
  }

  // The user's codec has run when this returns, so that its exceptions are the caller's.
  void start() {
    others_ = core_->names_of_other_versions(key_);
    core_->drop_older(key_, hash_, what_->entry.version, true);
    auto seen = std::make_shared<continued<tier_read>>();
    seen->key = what_->key;
    seen->prefix = core_->prefixes_.front();
    seen->takes_lease = false;
    seen->then = [self = this->shared_from_this(), read = seen.get()] { self->has_read(*read); };
    core_->tier().tier().read(std::move(seen));
  }

  void has_read(tier_read& seen) {
    find_stamps(*what_, seen, tags_);
    what_->then = [self = this->shared_from_this()] { self->has_put(); };
    core_->tier().tier().put(what_);
  }

  void has_put() {
    core_->begin_forget(std::move(others_), [self = this->shared_from_this()] { self->end(); });
  }

  void end() {
    core_->drop_older(key_, hash_, what_->entry.version, true);
    then_();
  }

  const std::shared_ptr<Core> core_;
  const K key_;
  const std::size_t hash_;
  const tag_list tags_;
  const std::shared_ptr<continued<tier_put>> what_;
  std::vector<std::string> others_;
  ending then_;
};

}  // namespace seawall
