#include "policies.hpp"
#include "victims.hpp"

#include "seawall/base/random.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace seawall::eviction {
namespace {

// Any entry, all with the same chance: entries lie in a dense array, entry_header::place is the index, and the last one
// fills the gap where one leaves.
class random_policy : public policy {
 public:
  random_policy(const arena& entries, std::uint64_t seed) : entries_(entries), random_(seed) {}

  void add(handle which) override {
    all_.push_back(which);
    entries_[which].place = static_cast<std::uint32_t>(all_.size() - 1);
    entries_[which].queue = 1;
  }

  void remove(handle which) override {
    entry_header& entry = entries_[which];
    if (entry.queue == 0) return;
    all_[entry.place] = all_.back();
    entries_[all_.back()].place = entry.place;
    all_.pop_back();
    entry.queue = 0;
    if (all_.size() < all_.capacity() / 4) all_.shrink_to_fit();
  }

  void replace(handle old, handle now) override {
    entry_header& before = entries_[old];
    if (before.queue == 0) return add(now);
    all_[before.place] = now;
    entries_[now].place = before.place;
    entries_[now].queue = 1;
    before.queue = 0;
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
  void clear() override { all_ = std::vector<handle>(); }
  std::size_t size() const noexcept override { return all_.size(); }

  void visit(bool, const std::function<bool(handle)>& visit) const override { visit_all(all_, visit); }

 protected:
  static void visit_all(const std::vector<handle>& all, const std::function<bool(handle)>& visit) {
    for (const handle which : all) {
      if (!visit(which)) return;
    }
  }

  handle draw() noexcept { return all_[(random_.next() >> 32) * all_.size() >> 32]; }
  virtual handle choose() noexcept { return draw(); }

  const arena& entries_;
  std::vector<handle> all_;

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
    for (const handle which : all_) order.emplace_back(deadline_of(which), which);
    std::ranges::sort(order);
    if (hottest_first) std::ranges::reverse(order);
    for (const auto& [deadline, which] : order) {
      if (!visit(which)) return;
    }
  }

 private:
  static constexpr int samples = 16;

  std::int64_t deadline_of(handle which) const noexcept {
    return entries_[which].deadline.load(std::memory_order_relaxed);
  }

  handle choose() noexcept override {
    handle first = draw();
    for (int i = 1; i != samples; ++i) {
      const handle other = draw();
      if (deadline_of(other) < deadline_of(first)) first = other;
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
