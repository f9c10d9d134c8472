// replay_call: delivers the invalidations that wait, batch by batch, until none is left or the server fails.
#pragma once

#include "operation.hpp"
#include "seawall/cmd/keys.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::tier {

class replay_call final : public operation {
 public:
  explicit replay_call(std::shared_ptr<tier::core> core) : operation(std::move(core)) {}

 private:
  /// One command, and the items of the batch that need it.
  struct delivery {
    std::vector<std::string_view> keys{};
    std::vector<std::size_t> items{};
    step unlink{};
  };

  void begin() override { next_batch(); }

  void next_batch() {
    batch_ = core_->take_undelivered();
    if (batch_.empty()) return end();
    deadline_ = after(core_->now(), core_->options().budget);
    deliveries_.clear();
    records_.clear();
    leases_.clear();
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      if (batch_[i].prefix) {
        add_records(i);
        continue;
      }
      if (batch_[i].has_lease) add(leases_.emplace_back(lease_key_of(batch_[i].name)), i);
      add(batch_[i].name, i);
    }
    std::vector<step*> steps;
    for (delivery& one : deliveries_) {
      one.unlink.set(*this, cmd::unlink(one.keys));
      steps.push_back(&one.unlink);
    }
    if (steps.empty()) return round_ended();
    send(steps);
  }

  /// The records of whole caches are removed: to find the entries of one takes too long, and a new reign would make
  /// those of all caches suspect, in a cluster slot by slot.
  void add_records(std::size_t item) {
    for (const std::string& prefix : core_->listeners().prefixes_under(batch_[item].name)) {
      for (std::string& key : core_->records().tag_keys(prefix, 0)) {
        records_.push_back(std::move(key));
        add(records_.back(), item);
      }
    }
  }

  /// In a cluster each key by itself: those of a slot that is half moved cannot go together.
  void add(std::string_view key, std::size_t item) {
    if (deliveries_.empty() || core_->records().divided() || deliveries_.back().keys.size() >= keys_at_once) {
      deliveries_.emplace_back();
    }
    deliveries_.back().keys.push_back(key);
    deliveries_.back().items.push_back(item);
  }

  void round_ended() override {
    std::vector<bool> failed(batch_.size());
    for (const delivery& one : deliveries_) {
      if (!one.unlink.failure()) continue;
      for (const std::size_t item : one.items) failed[item] = true;
    }
    std::vector<undelivered::item> done;
    std::vector<std::string> changed{records_.begin(), records_.end()};
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      if (!failed[i]) changed.push_back(batch_[i].name);
      (failed[i] ? left_ : done).push_back(std::move(batch_[i]));
    }
    core_->tags_changed(changed);
    core_->delivered(done);
    // The other servers of a cluster may take theirs.
    if (!left_.empty() && !core_->records().divided()) return end();
    next_batch();
  }

  void end() {
    core_->replay_ended(left_);
    finish();
  }

  static constexpr std::size_t keys_at_once = 256;  // a server does nothing else meanwhile

  std::vector<undelivered::item> batch_;
  std::deque<std::string> records_;
  std::deque<std::string> leases_;
  std::deque<delivery> deliveries_;
  std::vector<undelivered::item> left_;
};

}  // namespace seawall::tier
