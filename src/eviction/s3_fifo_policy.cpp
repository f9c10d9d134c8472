#include "ghost_list.hpp"
#include "policies.hpp"
#include "victims.hpp"

#include "seawall/eviction/block_queue.hpp"

#include <algorithm>

namespace seawall::eviction {
namespace {

// S3-FIFO (Yang et al., SOSP 2023): a small queue for new entries, which go to the main one if they were used twice on
// their way and else are evicted, but remembered: who is asked for again soon comes to the main queue at once. The main
// queue is a clock with two bits.
class s3_fifo_policy final : public policy {
 public:
  s3_fifo_policy(const arena& entries, const limits& room)
      : entries_(entries), small_{{pool_, entries}}, main_{{pool_, entries}} {
    divide(room);
  }

  void add(handle which) override {
    pool_.reserve(3);
    entry_header& entry = entries_[which];
    push(ghosts_.take(entry.hash) ? main_id : small_id, which, entry);
  }

  void remove(handle which) override {
    entry_header& entry = entries_[which];
    if (entry.queue == 0) return;
    segment& home = at(entry.queue);
    home.order.erase(entry.place);
    home.amount -= cost(entry);
    entry.queue = 0;
  }

  void replace(handle old, handle now) override {
    entry_header& before = entries_[old];
    if (before.queue == 0) return add(now);
    entry_header& after = entries_[now];
    segment& home = at(before.queue);
    home.order.replace(before.place, now);
    home.amount += cost(after);
    home.amount -= cost(before);
    after.queue = before.queue;
    after.uses.store(before.uses.load(std::memory_order_relaxed), std::memory_order_relaxed);
    after.use();
    before.queue = 0;
  }

  std::size_t evict(std::size_t entries, std::size_t weight, std::span<handle> into) override {
    victims out(entries, weight, into);
    while (!out.done() && size() != 0) {
      if (main_over() || small_.order.empty())
        evict_main(out);
      else
        evict_small(out);
    }
    return out.count();
  }

  void resize(const limits& now) override {
    divide(now);
    for (segment* each : {&small_, &main_}) {
      each->amount = 0;
      each->order.for_each(false, [&](handle which) {
        each->amount += cost(entries_[which]);
        return true;
      });
    }
    ghosts_.trim(most_ghosts());
  }

  void clear() override {
    for (segment* each : {&small_, &main_}) {
      each->order.clear();
      each->amount = 0;
    }
    ghosts_.clear();
  }

  std::size_t size() const noexcept override { return small_.order.size() + main_.order.size(); }

  void visit(bool hottest_first, const std::function<bool(handle)>& visit) const override {
    const segment& first = hottest_first ? main_ : small_;
    const segment& second = hottest_first ? small_ : main_;
    if (first.order.for_each(hottest_first, visit)) second.order.for_each(hottest_first, visit);
  }

 private:
  static constexpr std::uint8_t small_id = 1;
  static constexpr std::uint8_t main_id = 2;
  static constexpr std::uint8_t promotion_uses = 2;

  struct segment {
    block_queue order;
    std::size_t amount = 0;  // entries, or weight if that is limited
  };

  segment& at(std::uint8_t id) noexcept { return id == small_id ? small_ : main_; }
  std::size_t cost(const entry_header& entry) const noexcept { return room_.weight != 0 ? entry.weight : 1; }
  bool main_over() const noexcept { return main_.amount > main_limit_; }
  // As many as main holds when full; how many that are is not known where weights are limited.
  std::size_t most_ghosts() const noexcept { return room_.weight != 0 ? std::min(size(), main_limit_) : main_limit_; }

  void divide(const limits& room) noexcept {
    room_ = room;
    const std::size_t whole = room.weight != 0 ? room.weight : room.entries;
    main_limit_ = whole - std::clamp<std::size_t>(whole / 10, std::min<std::size_t>(whole, 1), whole);
  }

  void push(std::uint8_t into, handle which, entry_header& entry) {
    at(into).order.push_front(which);
    at(into).amount += cost(entry);
    entry.queue = into;
  }

  handle pop(std::uint8_t from) noexcept {
    const handle which = at(from).order.pop_back();
    at(from).amount -= cost(entries_[which]);
    entries_[which].queue = 0;
    return which;
  }

  // Ends after three rounds at most, but for readers that use entries meanwhile: hence the steps.
  void evict_main(victims& out) {
    for (std::size_t steps = 4 * main_.order.size(); !main_.order.empty(); --steps) {
      const handle which = pop(main_id);
      entry_header& entry = entries_[which];
      const std::uint8_t uses = entry.uses.load(std::memory_order_relaxed);
      if (uses == 0 || steps == 0) return out.add(which, entry);
      entry.uses.store(static_cast<std::uint8_t>(uses - 1), std::memory_order_relaxed);
      push(main_id, which, entry);
    }
  }

  void evict_small(victims& out) {
    while (!small_.order.empty()) {
      const handle which = pop(small_id);
      entry_header& entry = entries_[which];
      if (entry.uses.load(std::memory_order_relaxed) < promotion_uses) {
        out.add(which, entry);
        ghosts_.push(entry.hash);
        return ghosts_.trim(most_ghosts());
      }
      entry.uses.store(0, std::memory_order_relaxed);
      push(main_id, which, entry);
      if (main_over()) return evict_main(out);
    }
  }

  const arena& entries_;
  limits room_;
  std::size_t main_limit_ = 0;
  block_pool pool_;
  segment small_;
  segment main_;
  ghost_list ghosts_;
};

}  // namespace

std::unique_ptr<policy> make_s3_fifo(const arena& entries, const limits& room) {
  return std::make_unique<s3_fifo_policy>(entries, room);
}

}  // namespace seawall::eviction
