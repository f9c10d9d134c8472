#include "one_queue_policy.hpp"
#include "policies.hpp"

namespace seawall::eviction {
namespace {

// SIEVE (Zhang et al., NSDI 2024): a hand moves from the oldest entry to the newest, spares those that were used and
// evicts the first that was not; nobody else moves. The paper evicts before it inserts, here the newest entry is there
// already: the hand does not go to it but starts anew, unless it is alone.
class sieve_policy final : public one_queue_policy {
 public:
  using one_queue_policy::one_queue_policy;

  void remove(handle which) override {
    if (which == hand_) hand_ = next(which);
    one_queue_policy::remove(which);
  }

  void replace(handle old, handle now) override {
    const bool at_hand = old == hand_ && entries_[old].queue != 0;
    one_queue_policy::replace(old, now);
    if (at_hand) hand_ = now;
  }

  std::size_t evict(std::size_t entries, std::size_t weight, std::span<handle> into) override {
    victims out(entries, weight, into);
    while (!out.done() && !order_.empty()) {
      const handle victim = find_victim();
      remove(victim);
      out.add(victim, entries_[victim]);
    }
    return out.count();
  }

  void clear() override {
    hand_ = no_handle;
    one_queue_policy::clear();
  }

 private:
  // The entry after this one on the way of the hand; no_handle stands for the oldest, where it starts anew.
  handle next(handle which) const noexcept {
    const block_queue::place place = order_.newer(entries_[which].place);
    return place == block_queue::no_place || place == order_.newest() ? no_handle : order_[place];
  }

  // Readers go on using entries meanwhile, so there is a last round: twice around is enough.
  handle find_victim() noexcept {
    for (std::size_t steps = 2 * order_.size(); steps != 0; --steps) {
      if (hand_ == no_handle || (hand_ == order_.front() && order_.size() > 1)) hand_ = order_.back();
      entry_header& entry = entries_[hand_];
      if (entry.uses.load(std::memory_order_relaxed) == 0) return hand_;
      entry.uses.store(0, std::memory_order_relaxed);
      hand_ = next(hand_);
    }
    return order_.back();
  }

  handle hand_ = no_handle;
};

}  // namespace

std::unique_ptr<policy> make_sieve(const arena& entries) { return std::make_unique<sieve_policy>(entries); }

}  // namespace seawall::eviction
