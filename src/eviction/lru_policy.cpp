#include "one_queue_policy.hpp"
#include "policies.hpp"

namespace seawall::eviction {
namespace {

// Least recently used, exact: each use makes an entry the newest of the queue.
class lru_policy final : public one_queue_policy {
 public:
  using one_queue_policy::one_queue_policy;

  bool wants_uses() const noexcept override { return true; }

  void used(handle which) override {
    if (entries_[which].queue == 0 || order_.front() == which) return;
    pool_.reserve(1);
    order_.erase(which);
    order_.push_front(which);
  }

  void replace(handle old, handle now) override {
    one_queue_policy::replace(old, now);
    used(now);
  }
};

}  // namespace

std::unique_ptr<policy> make_lru(const arena& entries) { return std::make_unique<lru_policy>(entries); }

}  // namespace seawall::eviction
