#include "seawall/local/epoch.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

namespace seawall::local {
namespace {

bool membarrier_works() noexcept {
  static const bool works = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  return works;
}

}  // namespace

epoch_domain::epoch_domain(std::uint32_t owners)
    : owned_(std::clamp(owners, 1U, detail::max_owned_slots)),
      asymmetric_(membarrier_works()),
      epoch_(asymmetric_ && owned_ == detail::max_owned_slots ? 2 : not_quick | 2) {}

// An exchange is a fence of its own, and one that ThreadSanitizer knows.
void epoch_domain::guard::heavy_pin(std::atomic<std::uint64_t>& mine) noexcept {
  mine.exchange(mine.load(std::memory_order_relaxed), std::memory_order_seq_cst);
}

std::atomic<std::uint64_t>* epoch_domain::pin_shared() noexcept {
  for (;;) {
    const std::uint64_t now = epoch_.load(std::memory_order_seq_cst);
    schedule_point();
    std::atomic<std::uint64_t>& counter = shared_[now & 1];
    counter.fetch_add(1, std::memory_order_seq_cst);
    schedule_point();
    // The epoch has moved on: `advance` may have looked at the counter before, and would miss this reader.
    if (epoch_.load(std::memory_order_seq_cst) == now) return &counter;
    counter.fetch_sub(1, std::memory_order_release);
  }
}

std::uint64_t epoch_domain::tallied(std::size_t i) const noexcept {
  std::uint64_t sum = shared_tallies_[i].load(std::memory_order_relaxed);
  for (std::uint32_t at = 0; at != owned_; ++at) sum += lines_[at].tallies[i].load(std::memory_order_relaxed);
  return sum;
}

std::uint64_t epoch_domain::advance() {
  const std::lock_guard lock{advancing_};
  const std::uint64_t now = epoch_.load(std::memory_order_seq_cst);
  // Two epochs share a counter, so the next one may begin only when nobody is left of the one before this.
  const bool straggler = shared_[(now + 1) & 1].load(std::memory_order_seq_cst) != 0;
  schedule_point();
  if (!straggler) epoch_.store(now + 1, std::memory_order_seq_cst);
  schedule_point();
  // After this every core has either made its pin visible, or will see what was unlinked before.
  if (asymmetric_) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  // Not more than that: what is retired from now on may be in the hands of readers who pin from now on.
  std::uint64_t oldest = now + 1;
  if (straggler) oldest = now - 1;
  else if (shared_[now & 1].load(std::memory_order_seq_cst) != 0) oldest = now;
  for (std::uint32_t i = 0; i != owned_; ++i) {
    schedule_point();
    const std::uint64_t pinned = lines_[i].epoch.load(std::memory_order_seq_cst);
    if (pinned != 0) oldest = std::min(oldest, pinned);
  }
  return oldest;
}

}  // namespace seawall::local
