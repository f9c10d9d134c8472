#include "handle_search.hpp"
#include "policies.hpp"
#include "victims.hpp"

#include "seawall/base/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <utility>
#include <vector>

namespace seawall::eviction {
namespace {

// Handles in a dense array without an order. It comes in groups, whose numbers fit entry_header::place; in its group a
// handle is searched. The last handle fills the gap where one leaves.
class handle_bag {
 public:
  explicit handle_bag(const arena& entries) noexcept : entries_(entries) {}

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  handle operator[](std::size_t index) const noexcept { return groups_[index / 64].handles[index % 64]; }

  /// Throws std::bad_alloc.
  void insert(handle which) {
    if (size_ == groups_.size() * 64) {
      if (groups_.size() == entry_header::no_place) throw std::bad_alloc{};
      groups_.emplace_back();
    }
    put(size_ / 64, size_ % 64, which);
    ++size_;
  }

  /// Requires: it is in the bag.
  void erase(handle which) noexcept {
    handle& last = groups_.back().handles[--size_ % 64];
    const std::size_t slot = slot_of(which);
    put(entries_[which].place, slot, last);
    last = no_handle;
    if (size_ % 64 != 0) return;
    groups_.pop_back();
    if (groups_.size() < groups_.capacity() / 4) groups_.shrink_to_fit();
  }

  /// Requires: `old` is in the bag.
  void replace(handle old, handle now) noexcept { put(entries_[old].place, slot_of(old), now); }

  void clear() noexcept {
    groups_ = std::vector<group>();
    size_ = 0;
  }

 private:
  struct alignas(64) group {
    std::array<handle, 64> handles{};  // no_handle in those of the last group that are free
  };

  void put(std::size_t number, std::size_t slot, handle which) noexcept {
    groups_[number].handles[slot] = which;
    entries_[which].place = number & entry_header::no_place;
  }
  std::size_t slot_of(handle which) const noexcept {
    return static_cast<std::size_t>(std::countr_zero(words_equal_to(which, &groups_[entries_[which].place])));
  }

  const arena& entries_;
  std::vector<group> groups_;
  std::size_t size_ = 0;
};

// Any entry, all with the same chance.
class random_policy : public policy {
 public:
  random_policy(const arena& entries, std::uint64_t seed) : entries_(entries), all_(entries), random_(seed) {}

  void add(handle which) override {
    all_.insert(which);
    entries_[which].queue = 1;
  }

  void remove(handle which) override {
    if (entries_[which].queue == 0) return;
    all_.erase(which);
    entries_[which].queue = 0;
  }

  void replace(handle old, handle now) override {
    if (entries_[old].queue == 0) return add(now);
    all_.replace(old, now);
    entries_[now].queue = 1;
    entries_[old].queue = 0;
  }

  std::size_t evict(std::size_t entries, std::size_t weight, std::span<handle> into) override {
    victims out(entries, weight, into);
    while (!out.done() && !all_.empty()) {
      const handle victim = choose();
      remove(victim);
      out.add(victim, entries_[victim]);
    }
    return out.count();
  }

  void resize(const limits&) override {}
  void clear() override { all_.clear(); }
  std::size_t size() const noexcept override { return all_.size(); }

  void visit(bool, const std::function<bool(handle)>& visit) const override {
    for (std::size_t i = 0; i != all_.size(); ++i) {
      if (!visit(all_[i])) return;
    }
  }

 protected:
  handle draw() noexcept { return all_[(random_.next() >> 32) * all_.size() >> 32]; }
  virtual handle choose() noexcept { return draw(); }

  const arena& entries_;
  handle_bag all_;

 private:
  random_source random_;
};

// Like Redis's volatile-ttl, which keeps no order of the deadlines either.
class earliest_deadline_policy final : public random_policy {
 public:
  using random_policy::random_policy;

  void visit(bool hottest_first, const std::function<bool(handle)>& visit) const override {
    std::vector<std::pair<std::int64_t, handle>> order;
    order.reserve(all_.size());
    for (std::size_t i = 0; i != all_.size(); ++i) order.emplace_back(entries_[all_[i]].deadline(), all_[i]);
    std::ranges::sort(order);
    if (hottest_first) std::ranges::reverse(order);
    for (const auto& [deadline, which] : order) {
      if (!visit(which)) return;
    }
  }

 private:
  static constexpr int samples = 16;

  handle choose() noexcept override {
    handle first = draw();
    for (int i = 1; i != samples; ++i) {
      const handle other = draw();
      if (entries_[other].deadline() < entries_[first].deadline()) first = other;
    }
    return first;
  }
};

}  // namespace

std::unique_ptr<policy> make_random(const arena& entries, std::uint64_t seed) {
  return std::make_unique<random_policy>(entries, seed);
}

std::unique_ptr<policy> make_earliest_deadline(const arena& entries, std::uint64_t seed) {
  return std::make_unique<earliest_deadline_policy>(entries, seed);
}

}  // namespace seawall::eviction
