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
    if (which == hand_) hand_ = handle_at(next(order_.find(which)));
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
  // What comes after this one on the way of the hand; nowhere stands for the oldest, where it starts anew.
  block_queue::position next(block_queue::position at) const noexcept {
    const block_queue::position newer = order_.newer(at);
    return newer == order_.newest() ? block_queue::nowhere : newer;
  }
  handle handle_at(block_queue::position at) const noexcept {
    return at == block_queue::nowhere ? no_handle : order_[at];
  }

  // Readers go on using entries meanwhile, so there is a last round: twice around is enough.
  handle find_victim() noexcept {
    block_queue::position at = hand_ == no_handle ? block_queue::nowhere : order_.find(hand_);
    if (at == order_.newest()) at = block_queue::nowhere;
    for (std::size_t steps = 2 * order_.size(); steps != 0; --steps) {
      if (at == block_queue::nowhere) at = order_.oldest();
      entry_header& entry = entries_[order_[at]];
      if (entry.uses() == 0) return hand_ = order_[at];
      entry.set_uses(0);
      at = next(at);
    }
    hand_ = handle_at(at);
    return order_.back();
  }

  handle hand_ = no_handle;
};

}  // namespace

std::unique_ptr<policy> make_sieve(const arena& entries) { return std::make_unique<sieve_policy>(entries); }

}  // namespace seawall::eviction
