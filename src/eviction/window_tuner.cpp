#include "window_tuner_index.hpp"

#include "seawall/eviction/window_tuner.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace seawall::eviction {
namespace {

constexpr double decay = 0.6;    // of what an epoch found, with each epoch after it
constexpr double margin = 0.01;  // by which another window must be better, lest the window wavers between equals
constexpr std::uint64_t least_epoch = 500;

}  // namespace

class window_tuner::shadow {
 public:
  shadow(arena& headers, std::size_t entries, double window, std::uint64_t seed, frequency_sketch& sketch)
      : headers_(headers),
        entries_(entries),
        policy_(headers, {.entries = entries, .weight = 0}, seed, &sketch),
        index_(headers, entries + 1) {
    policy_.set_window(window);
  }
  ~shadow() {
    policy_.visit(false, [this](handle which) {
      headers_.release(which);
      return true;
    });
  }
  shadow(const shadow&) = delete;
  shadow& operator=(const shadow&) = delete;

  void access(std::uint32_t hash) {
    if (const handle found = index_.find(hash); found != no_handle) {
      headers_[found].use();
      ++hits_;
      return;
    }
    const handle fresh = headers_.allocate();
    headers_[fresh].hash = hash;
    policy_.add(fresh);
    index_.insert(fresh);
    if (policy_.size() <= entries_) return;
    handle victim = no_handle;
    policy_.evict(1, 0, std::span(&victim, 1));
    index_.erase(victim);
    headers_.release(victim);
  }

  void end_epoch() noexcept {
    score_ = score_ * decay + static_cast<double>(hits_);
    hits_ = 0;
  }
  double score() const noexcept { return score_; }
  std::size_t bytes() const noexcept { return sizeof(shadow) + policy_.bytes() + index_.bytes(); }

 private:
  arena& headers_;
  std::size_t entries_;
  adaptive policy_;
  window_tuner_index index_;
  std::uint64_t hits_ = 0;
  double score_ = 0;
};

window_tuner::window_tuner(std::size_t capacity, std::uint64_t seed) : seed_(seed), headers_(sizeof(entry_header)) {
  resize(capacity);
}

window_tuner::~window_tuner() = default;

void window_tuner::resize(std::size_t capacity) {
  capacity = std::max<std::size_t>(1, capacity);
  const std::size_t entries = std::min(capacity, std::clamp<std::size_t>(capacity / 8, 16, 1024));
  if (entries != shadow_entries_) build(entries);
  const double share = static_cast<double>(entries) / static_cast<double>(capacity);
  sampled_.store(static_cast<std::uint64_t>(share * 0x1p32), std::memory_order_relaxed);
}

void window_tuner::build(std::size_t entries) {
  shadows_.clear();
  sketch_ = std::make_unique<frequency_sketch>(entries, seed_);
  sketch_->resize(entries, entries);
  for (const double window : windows) {
    shadows_.push_back(std::make_unique<shadow>(headers_, entries, window, seed_ + shadows_.size(), *sketch_));
  }
  shadow_entries_ = entries;
  epoch_accesses_ = 0;
  accesses_ = 0;
}

bool window_tuner::record(std::uint32_t hash) {
  sketch_->add(hash);
  for (const auto& each : shadows_) each->access(hash);
  return ++epoch_accesses_ >= std::max<std::uint64_t>(8 * shadow_entries_, least_epoch) && end_epoch();
}

// A gain counts relative to the hits of the best, or to the misses that are left: where nearly everything hits, a
// hundredth of the misses is worth a change.
bool window_tuner::end_epoch() noexcept {
  accesses_ = accesses_ * decay + static_cast<double>(epoch_accesses_);
  epoch_accesses_ = 0;
  for (const auto& each : shadows_) each->end_epoch();
  const auto best = std::ranges::max_element(shadows_, {}, [](const auto& each) { return each->score(); });
  const double now = shadows_[current_]->score();
  const double gain = (*best)->score() - now;
  if (gain <= margin * std::min((*best)->score(), accesses_ - now + 1)) return false;
  current_ = static_cast<std::size_t>(best - shadows_.begin());
  return true;
}

std::size_t window_tuner::bytes() const noexcept {
  std::size_t sum = sizeof *this + headers_.bytes() + sketch_->bytes();
  for (const auto& each : shadows_) sum += each->bytes();
  return sum;
}

}  // namespace seawall::eviction
