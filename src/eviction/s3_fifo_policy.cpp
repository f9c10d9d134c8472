#include "ghost_list.hpp"
#include "policies.hpp"
#include "victims.hpp"

#include "seawall/eviction/segments.hpp"

#include <algorithm>

namespace seawall::eviction {
namespace {

// S3-FIFO (Yang et al., SOSP 2023): a small queue for new entries, which go to the main one if they were used twice on
// their way and else are evicted, but remembered: who is asked for again soon comes to the main queue at once. The main
// queue is a clock with two bits.
class s3_fifo_policy final : public policy {
 public:
  s3_fifo_policy(const arena& entries, const limits& room) : entries_(entries), queues_(entries, room.weight != 0) {
    divide(room);
  }

  void add(handle which) override {
    queues_.reserve(3);
    queues_.push(ghosts_.take(entries_[which].hash) ? main : small, which);
  }

  void remove(handle which) override { queues_.remove(which); }

  void prefetch(const entry_header& entry) const noexcept override { queues_.prefetch(entry); }
  void replace(handle old, handle now) override {
    if (!queues_.replace(old, now)) add(now);
  }

  std::size_t evict(std::size_t entries, std::size_t weight, std::span<handle> into) override {
    victims out(entries, weight, into);
    while (!out.done() && size() != 0) {
      if (main_over() || queues_[small].empty())
        evict_main(out);
      else
        evict_small(out);
    }
    return out.count();
  }

  void resize(const limits& now) override {
    divide(now);
    queues_.count_weight(now.weight != 0);
    ghosts_.trim(most_ghosts());
  }

  void clear() override {
    queues_.clear();
    ghosts_.clear();
  }

  std::size_t size() const noexcept override { return queues_.size(); }

  void visit(bool hottest_first, const std::function<bool(handle)>& visit) const override {
    if (!queues_[hottest_first ? main : small].for_each(hottest_first, visit)) return;
    queues_[hottest_first ? small : main].for_each(hottest_first, visit);
  }

 private:
  static constexpr std::uint8_t small = 1;
  static constexpr std::uint8_t main = 2;
  static constexpr std::uint8_t promotion_uses = 2;

  bool main_over() const noexcept { return queues_.amount(main) > main_limit_; }
  // As many as main holds when full; how many that are is not known where weights are limited.
  std::size_t most_ghosts() const noexcept { return room_.weight != 0 ? std::min(size(), main_limit_) : main_limit_; }

  void divide(const limits& room) noexcept {
    room_ = room;
    const std::size_t whole = room.weight != 0 ? room.weight : room.entries;
    main_limit_ = whole - std::clamp<std::size_t>(whole / 10, std::min<std::size_t>(whole, 1), whole);
  }

  // Ends after three rounds at most, but for readers that use entries meanwhile: hence the steps.
  void evict_main(victims& out) {
    for (std::size_t steps = 4 * queues_[main].size(); !queues_[main].empty(); --steps) {
      const handle which = queues_.pop(main);
      entry_header& entry = entries_[which];
      const std::uint8_t uses = entry.uses();
      if (uses == 0 || steps == 0) return out.add(which, entry);
      entry.set_uses(static_cast<std::uint8_t>(uses - 1));
      queues_.push(main, which);
    }
  }

  void evict_small(victims& out) {
    while (!queues_[small].empty()) {
      const handle which = queues_.pop(small);
      entry_header& entry = entries_[which];
      if (entry.uses() < promotion_uses) {
        out.add(which, entry);
        ghosts_.push(entry.hash);
        return ghosts_.trim(most_ghosts());
      }
      entry.set_uses(0);
      queues_.push(main, which);
      if (main_over()) return evict_main(out);
    }
  }

  const arena& entries_;
  limits room_;
  std::size_t main_limit_ = 0;
  segments queues_;
  ghost_list ghosts_;
};

}  // namespace

std::unique_ptr<policy> make_s3_fifo(const arena& entries, const limits& room) {
  return std::make_unique<s3_fifo_policy>(entries, room);
}

}  // namespace seawall::eviction
