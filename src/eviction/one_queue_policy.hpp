// What policies with one queue have in common; by itself it is FIFO.
// Thread safety: as policy.
#pragma once

#include "victims.hpp"

#include "seawall/base/prefetch.hpp"
#include "seawall/eviction/block_queue.hpp"
#include "seawall/eviction/policy.hpp"

#include <algorithm>
#include <array>

namespace seawall::eviction {

class one_queue_policy : public policy {
 public:
  explicit one_queue_policy(const arena& entries) : entries_(entries), order_(pool_, entries) {}

  void add(handle which) override {
    pool_.reserve(1);
    order_.push_front(which);
    entries_[which].queue = 1;
  }

  void remove(handle which) override {
    entry_header& entry = entries_[which];
    if (entry.queue == 0) return;
    order_.erase(which);
    entry.queue = 0;
  }

  void prefetch(const entry_header& entry) const noexcept override {
    if (entry.queue != 0) pool_.prefetch(entry.place);
  }

  void replace(handle old, handle now) override {
    entry_header& before = entries_[old];
    if (before.queue == 0) return add(now);
    order_.replace(old, now);
    entries_[now].queue = 1;
    entries_[now].follow(before);
    before.queue = 0;
  }

  std::size_t evict(std::size_t entries, std::size_t weight, std::span<handle> into) override {
    victims out(entries, weight, into);
    while (!out.done() && !order_.empty()) {
      std::array<handle, 16> ahead;
      const std::size_t count = order_.peek(std::span(ahead).first(std::min(ahead.size(), out.expected())));
      for (std::size_t i = 0; i != count; ++i) prefetch_to_write(&entries_[ahead[i]]);
      for (std::size_t i = 0; i != count && !out.done(); ++i) {
        order_.pop_back();
        entries_[ahead[i]].queue = 0;
        out.add(ahead[i], entries_[ahead[i]]);
      }
    }
    return out.count();
  }

  void resize(const limits&) override {}
  void clear() override { order_.clear(); }
  std::size_t size() const noexcept override { return order_.size(); }
  void visit(bool hottest_first, const std::function<bool(handle)>& visit) const override {
    order_.for_each(hottest_first, visit);
  }

 protected:
  const arena& entries_;
  block_pool pool_;
  block_queue order_;
};

}  // namespace seawall::eviction
