#include "policies.hpp"
#include "victims.hpp"

#include "seawall/base/random.hpp"
#include "seawall/eviction/block_queue.hpp"

#include <bit>
#include <deque>

namespace seawall::eviction {
namespace {

// Least often used since it came; among equals, least recently. A queue for each of fourteen levels, as many as
// entry_header::queue can name beside the engine's. Up to eight uses the level is their number; above, a use raises
// level n with a chance of 1 / 2^(n - 8), so that each level takes twice the uses of the one before, and the last one
// stands for some 71 or more (R. Morris, "Counting large numbers of events in small registers", CACM 1978; Redis counts
// in this manner too). The newest entry is spared until its second use as long as there are others, or else no entry
// could ever get that in a cache of much used ones.
class lfu_policy final : public policy {
 public:
  lfu_policy(const arena& entries, std::uint64_t seed) : entries_(entries), random_(seed) {
    for (std::uint32_t level = 0; level <= last_level; ++level) levels_.emplace_back(pool_, entries);
  }

  void add(handle which) override {
    push(which, 1);
    newest_ = which;
  }

  void remove(handle which) override {
    if (entries_[which].queue == 0) return;
    unlink(which);
    if (which == newest_) newest_ = no_handle;
  }

  void replace(handle old, handle now) override {
    entry_header& before = entries_[old];
    if (before.queue == 0) return add(now);
    levels_[before.queue].replace(old, now);
    entries_[now].queue = before.queue;
    before.queue = 0;
    if (old == newest_) newest_ = now;
    used(now);
  }

  bool wants_uses() const noexcept override { return true; }

  void used(handle which) override {
    const std::uint32_t level = entries_[which].queue;
    if (level == 0) return;
    pool_.reserve(1);
    unlink(which);
    if (which == newest_) newest_ = no_handle;
    push(which, rises(level) ? level + 1 : level);
  }

  std::size_t evict(std::size_t entries, std::size_t weight, std::span<handle> into) override {
    victims out(entries, weight, into);
    while (!out.done() && size_ != 0) {
      handle victim = levels_[first_level(0)].back();
      if (victim == newest_ && size_ > 1) victim = levels_[first_level(2)].back();
      remove(victim);
      out.add(victim, entries_[victim]);
    }
    return out.count();
  }

  void resize(const limits&) override {}

  void clear() override {
    for (block_queue& level : levels_) level.clear();
    occupied_ = 0;
    size_ = 0;
    newest_ = no_handle;
  }

  std::size_t size() const noexcept override { return size_; }

  void visit(bool hottest_first, const std::function<bool(handle)>& visit) const override {
    for (std::uint32_t i = 0; i <= last_level; ++i) {
      if (!levels_[hottest_first ? last_level - i : i].for_each(hottest_first, visit)) return;
    }
  }

 private:
  static constexpr std::uint32_t exact_uses = 8;
  static constexpr std::uint32_t last_level = 14;

  bool rises(std::uint32_t level) noexcept {
    if (level == last_level) return false;
    return level <= exact_uses || random_.next() >> (64 - (level - exact_uses)) == 0;
  }

  void push(handle which, std::uint32_t level) {
    pool_.reserve(1);
    levels_[level].push_front(which);
    entries_[which].queue = level & 0xf;
    occupied_ |= 1U << level;
    ++size_;
  }

  void unlink(handle which) noexcept {
    entry_header& entry = entries_[which];
    block_queue& level = levels_[entry.queue];
    level.erase(which);
    if (level.empty()) occupied_ &= ~(1U << entry.queue);
    entry.queue = 0;
    --size_;
  }

  // The first level from `start` on that has entries. Requires that there is one.
  std::size_t first_level(std::uint32_t start) const noexcept {
    return static_cast<std::size_t>(std::countr_zero(occupied_ >> start << start));
  }

  const arena& entries_;
  block_pool pool_;
  random_source random_;
  std::deque<block_queue> levels_;  // the first one stays empty
  std::uint32_t occupied_ = 0;      // a bit for each level that has entries
  std::size_t size_ = 0;
  handle newest_ = no_handle;  // at the first level, so the front of it
};

}  // namespace

std::unique_ptr<policy> make_lfu(const arena& entries, std::uint64_t seed) {
  return std::make_unique<lfu_policy>(entries, seed);
}

}  // namespace seawall::eviction
