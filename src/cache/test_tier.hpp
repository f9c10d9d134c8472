// test_tier: a shared tier in memory that does one operation at a time, when the test says so. What Redis and the
// scripts do is told in a few lines here, so a test can put any event between any two steps.
#pragma once

#include "seawall/cache/shared_tier.hpp"
#include "seawall/testing.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace seawall {

class test_tier final : public shared_tier {
 public:
  explicit test_tier(std::shared_ptr<manual_clock> time) : clock_(std::move(time)) { proof.extend(never); }

  bool automatic = true;      // operations are done at once; else by run_one
  bool dead = false;          // every operation fails
  bool tells = true;          // changes are told
  duration most = std::chrono::seconds{1};
  std::size_t most_bytes = 1000;  // longer values are not stored
  std::function<void()> before_write;  // runs once, when an invalidation has come and is not done yet
  tier_proof proof;
  int reads = 0;
  int fills = 0;
  int unhurried = 0;  // of them
  int hurries = 0;

  void attach(std::string prefix, std::weak_ptr<tier_listener> listener) override {
    listeners_.emplace_back(std::move(prefix), std::move(listener));
  }
  duration bound() const noexcept override { return most; }

  void read(std::shared_ptr<tier_read> what) override {
    take([this, what] {
      ++reads;
      if (dead) return fail(*what);
      what->asked_at = clock_->now();
      do_read(*what);
      what->proof = &proof;
      what->on_read();
      what->on_end();
    });
  }

  void fill(std::shared_ptr<tier_fill> what) override {
    if (what->unhurried) ++unhurried;
    take([this, what] {
      ++fills;
      if (dead) return fail(*what);
      const auto found = data_.find(what->key);
      if (what->entry.payload.size() > most_bytes) {
        what->failure = error{errc::invalid_argument, "the value is too large"};
        what->on_end();
        if (found != data_.end() && found->second.name == what->lease) drop(what->key);
        return;
      }
      what->accepted = found != data_.end() && found->second.name == what->lease &&
                       found->second.leased != what->refresh && !is_older(what->entry, found->second);
      if (what->accepted) {
        found->second = {.name = draw(), .leased = false, .entry = what->entry, .written = clock_->now()};
        tell(what->key);
        what->proof = &proof;
      }
      refreshing_.erase(what->key);
      what->on_read();
      what->on_end();
    });
  }

  void release(std::string key, const tier_nonce& lease, bool refresh) override {
    take([this, key = std::move(key), lease, refresh] {
      if (refresh) refreshing_.erase(key);
      else if (const auto found = data_.find(key); found != data_.end() && found->second.name == lease) drop(key);
    });
  }

  void invalidate(std::shared_ptr<tier_invalidation> what) override {
    let_others_run();
    take([this, what] {
      if (dead) {
        what->undelivered = what->keys.size();
        return fail(*what);
      }
      for (const auto& key : what->keys) what->removed += drop(key);
      what->on_end();
    });
  }

  void change_tag(std::shared_ptr<tier_tag_change> what) override {
    let_others_run();
    take([this, what] {
      if (dead) return fail(*what);
      generations_[{what->prefix, what->tag}] = draw().high;
      if (tells) {
        for (const auto& [prefix, listener] : listeners_) {
          const auto alive = listener.lock();
          if (alive && prefix == what->prefix) alive->on_tag_changed(what->tag);
        }
      }
      what->on_end();
    });
  }

  void put(std::shared_ptr<tier_put> what) override {
    take([this, what] {
      if (dead) return fail(*what);
      const auto found = data_.find(what->key);
      if (found != data_.end()) {
        const std::uint64_t there = found->second.entry.version;
        if (found->second.leased) {
          found->second.entry.version = std::max(there, what->entry.version);
        } else if (there == 0) {
          drop(what->key);
        } else if (there < what->entry.version) {
          found->second = {.name = draw(), .leased = false, .entry = what->entry, .written = clock_->now()};
          what->replaced = true;
          tell(what->key);
        }
      }
      what->on_end();
    });
  }

  /// A step is one key.
  result<prefix_removal> remove_prefix(std::string_view prefix, prefix_options how) override {
    let_others_run();
    if (dead) return seawall::fail(errc::timed_out, "the tier is dead");
    prefix_removal so_far{.total = data_.size()};
    std::vector<std::string> names;
    for (const auto& [name, there] : data_) names.push_back(name);
    for (const std::string& name : names) {
      if (how.stop.stop_requested()) return so_far;
      ++so_far.scanned;
      if (name.starts_with(prefix)) so_far.removed += drop(name);
      if (how.on_progress) how.on_progress(so_far);
    }
    so_far.done = true;
    return so_far;
  }

  void hurry() noexcept override { ++hurries; }

  void wait(const std::atomic<bool>& done) override {
    while (!done.load() && run_one()) {
    }
  }

  /// Does the oldest operation that waits; false when there is none.
  bool run_one() {
    if (waiting_.empty()) return false;
    const auto work = std::move(waiting_.front());
    waiting_.pop_front();
    work();
    return true;
  }
  void run_all() {
    while (run_one()) {
    }
  }

  /// As another process, or the store itself, would.
  std::size_t drop(const std::string& key) {
    const std::size_t removed = data_.erase(key);
    tell(key);
    return removed;
  }
  bool holds_entry(const std::string& key) const {
    const auto found = data_.find(key);
    return found != data_.end() && !found->second.leased;
  }
  bool holds_lease(const std::string& key) const { return data_.contains(key) && !holds_entry(key); }
  const tier_entry& entry(const std::string& key) const { return data_.at(key).entry; }
  /// The entry with its bytes changed.
  void damage(const std::string& key, std::string payload) { data_.at(key).entry.payload = std::move(payload); }

 private:
  struct slot {
    tier_nonce name;
    bool leased;
    tier_entry entry{};
    time_point written{};
  };

  void let_others_run() {
    if (const auto work = std::exchange(before_write, nullptr)) work();
  }

  void take(std::function<void()> work) {
    if (automatic) work();
    else waiting_.push_back(std::move(work));
  }

  static void fail(tier_call& what) {
    what.failure = error{errc::timed_out, "the tier is dead"};
    what.on_end();
  }

  // A lease's version is its floor; over an entry, an entry without one is no older.
  static bool is_older(const tier_entry& entry, const slot& there) {
    return entry.version < there.entry.version && (there.leased || entry.version != 0);
  }

  tier_nonce draw() { return {++drawn_, 0}; }

  std::uint64_t generation(const std::string& prefix, std::uint64_t tag) {
    std::uint64_t& there = generations_[{prefix, tag}];
    if (there == 0) there = draw().high;
    return there;
  }

  void stamp(tier_read& what) {
    what.stamps = {{0, generation(what.prefix, 0)}};
    for (const std::uint64_t tag : what.tags) what.stamps.push_back({tag, generation(what.prefix, tag)});
  }

  void lease(tier_read& what) {
    what.is = tier_read::outcome::held;
    if (!what.takes_lease) return;
    what.nonce = draw();
    what.is = tier_read::outcome::leased;
    stamp(what);
    data_[what.key] = {.name = what.nonce, .leased = true, .entry = {.version = data_[what.key].entry.version}};
    tell(what.key);
  }

  void do_read(tier_read& what) {
    const auto found = data_.find(what.key);
    if (found == data_.end() || (!found->second.leased && !what.refresh && what.unusable == found->second.name)) {
      return lease(what);
    }
    for (const tag_stamp& stamp : found->second.entry.tags) {
      if (generation(what.prefix, stamp.tag) != stamp.generation) return lease(what);
    }
    if (found->second.leased) {
      what.is = tier_read::outcome::held;
      return;
    }
    what.nonce = found->second.name;
    what.entry = found->second.entry;
    const duration since = clock_->now() - found->second.written;
    if (what.entry.fresh_for != forever) what.entry.fresh_for -= since;
    what.entry.age += since;
    what.is = tier_read::outcome::hit;
    if (what.refresh && (what.early || what.unusable == what.nonce || what.entry.fresh_for <= duration::zero())) {
      what.is = refreshing_.emplace(what.key, true).second ? tier_read::outcome::leased : tier_read::outcome::held;
      stamp(what);
    }
  }

  void tell(const std::string& key) {
    if (!tells) return;
    for (const auto& [prefix, listener] : listeners_) {
      const auto alive = listener.lock();
      if (alive && key.starts_with(prefix)) alive->on_changed(std::string_view{key}.substr(prefix.size()));
    }
  }

  const std::shared_ptr<manual_clock> clock_;
  std::vector<std::pair<std::string, std::weak_ptr<tier_listener>>> listeners_;
  std::map<std::string, slot> data_;
  std::map<std::string, bool> refreshing_;
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> generations_;
  std::deque<std::function<void()>> waiting_;
  std::uint64_t drawn_ = 0;
};

}  // namespace seawall
