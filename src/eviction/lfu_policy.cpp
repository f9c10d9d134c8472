#include "policies.hpp"
#include "victims.hpp"

#include "seawall/eviction/block_queue.hpp"

#include <array>
#include <bit>
#include <deque>

namespace seawall::eviction {
namespace {

// Least often used since it came; among equals, least recently. A queue for each number of uses, from the first to the
// 255th, where counting ends; entry_header::queue is that number. The newest entry is spared until its second use as
// long as there are others, or else no entry could ever get that in a cache of much used ones.
class lfu_policy final : public policy {
 public:
  explicit lfu_policy(const arena& entries) : entries_(entries) {
    for (std::uint32_t level = 0; level != 256; ++level) levels_.emplace_back(pool_, entries);
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
    levels_[before.queue].replace(before.place, now);
    entries_[now].queue = before.queue;
    before.queue = 0;
    if (old == newest_) newest_ = now;
    used(now);
  }

  bool wants_uses() const noexcept override { return true; }

  void used(handle which) override {
    const std::uint8_t level = entries_[which].queue;
    if (level == 0) return;
    pool_.reserve(1);
    unlink(which);
    if (which == newest_) newest_ = no_handle;
    push(which, level == most_uses ? most_uses : static_cast<std::uint8_t>(level + 1));
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
    occupied_ = {};
    size_ = 0;
    newest_ = no_handle;
  }

  std::size_t size() const noexcept override { return size_; }

  void visit(bool hottest_first, const std::function<bool(handle)>& visit) const override {
    for (std::uint32_t i = 0; i <= most_uses; ++i) {
      if (!levels_[hottest_first ? most_uses - i : i].for_each(hottest_first, visit)) return;
    }
  }

 private:
  static constexpr std::uint8_t most_uses = 255;

  void push(handle which, std::uint8_t level) {
    pool_.reserve(1);
    levels_[level].push_front(which);
    entries_[which].queue = level;
    occupied_[level / 64] |= std::uint64_t{1} << level % 64;
    ++size_;
  }

  void unlink(handle which) noexcept {
    entry_header& entry = entries_[which];
    block_queue& level = levels_[entry.queue];
    level.erase(entry.place);
    if (level.empty()) occupied_[entry.queue / 64] &= ~(std::uint64_t{1} << entry.queue % 64);
    entry.queue = 0;
    --size_;
  }

  // The first level from `start` on that has entries. Requires that there is one.
  std::uint32_t first_level(std::uint32_t start) const noexcept {
    std::uint32_t word = start / 64;
    std::uint64_t bits = occupied_[word] & ~std::uint64_t{0} << start % 64;
    while (bits == 0) bits = occupied_[++word];
    return word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
  }

  const arena& entries_;
  block_pool pool_;
  std::deque<block_queue> levels_;  // by the number of uses; the first one stays empty
  std::array<std::uint64_t, 4> occupied_{};
  std::size_t size_ = 0;
  handle newest_ = no_handle;  // at the first level, so the front of it
};

}  // namespace

std::unique_ptr<policy> make_lfu(const arena& entries) { return std::make_unique<lfu_policy>(entries); }

}  // namespace seawall::eviction
