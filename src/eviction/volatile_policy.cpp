#include "policies.hpp"

#include <utility>

namespace seawall::eviction {
namespace {

// Hides entries without a deadline from another policy.
class volatile_policy final : public policy {
 public:
  volatile_policy(const arena& entries, std::unique_ptr<policy> base) : entries_(entries), base_(std::move(base)) {}

  void add(handle which) override {
    if (expires(which)) base_->add(which);
  }
  void remove(handle which) override { base_->remove(which); }
  void replace(handle old, handle now) override {
    if (expires(now))
      base_->replace(old, now);
    else
      base_->remove(old);
  }
  std::size_t evict(std::size_t entries, std::size_t weight, std::span<handle> into) override {
    return base_->evict(entries, weight, into);
  }
  bool wants_uses() const noexcept override { return base_->wants_uses(); }
  void used(handle which) override { base_->used(which); }
  void resize(const limits& now) override { base_->resize(now); }
  void clear() override { base_->clear(); }
  std::size_t size() const noexcept override { return base_->size(); }
  void visit(bool hottest_first, const std::function<bool(handle)>& visit) const override {
    base_->visit(hottest_first, visit);
  }

 private:
  bool expires(handle which) const noexcept { return !entries_[which].now().forever(); }

  const arena& entries_;
  std::unique_ptr<policy> base_;
};

class noeviction_policy final : public policy {
 public:
  void add(handle) override {}
  void remove(handle) override {}
  void replace(handle, handle) override {}
  std::size_t evict(std::size_t, std::size_t, std::span<handle>) override { return 0; }
  void resize(const limits&) override {}
  void clear() override {}
  std::size_t size() const noexcept override { return 0; }
  void visit(bool, const std::function<bool(handle)>&) const override {}
};

}  // namespace

std::unique_ptr<policy> make_volatile(const arena& entries, std::unique_ptr<policy> base) {
  return std::make_unique<volatile_policy>(entries, std::move(base));
}

std::unique_ptr<policy> make_noeviction() { return std::make_unique<noeviction_policy>(); }

}  // namespace seawall::eviction
