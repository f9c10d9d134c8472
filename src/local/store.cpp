#include "seawall/local/store.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace seawall::local {
namespace {

std::size_t processors() noexcept { return std::max<std::size_t>(1, std::thread::hardware_concurrency()); }

// Each shard must hold enough for its order to mean something, and enough bytes for a large value.
std::size_t shards_for(const store_options& options) noexcept {
  if (options.shards != 0) return std::bit_ceil(options.shards);
  std::size_t count = 1;
  const auto fits = [&](std::size_t n) {
    return n <= 64 && n <= std::bit_ceil(processors()) && options.capacity / n >= 32'768 &&
           (options.max_weight == 0 || options.max_weight / n >= (16U << 20));
  };
  while (fits(2 * count)) count *= 2;
  return count;
}

bool refuses(eviction_policy policy) noexcept {
  return policy == eviction_policy::noeviction || evicts_volatile_only(policy);
}

// What lanes hold is taken off the capacity, so it is little beside it. Where room must be known exactly, or an entry
// may weigh anything, every change is drained at once.
std::size_t batch_for(const store_options& options, std::size_t shards, std::size_t stripes) noexcept {
  if (refuses(options.policy) || options.max_weight != 0) return 1;
  if (options.batch != 0) return options.batch;
  return std::clamp<std::size_t>(options.capacity / shards / (256 * stripes), 1, 48);
}

}  // namespace

store::store(const store_options& options)
    : options_(options),
      notifies_(options.notifies),
      refuses_(local::refuses(options.policy)),
      table_(nullptr),
      capacity_(options.capacity),
      max_weight_(options.max_weight) {
  const std::size_t count = shards_for(options);
  stripe_count_ = std::min<std::size_t>(std::bit_ceil(2 * processors()), detail::max_owned_slots);
  batch_ = batch_for(options, count, stripe_count_);
  nearly_full_ = batch_ - batch_ / 3;
  // Making sure that no reader is left costs a microsecond or two, so it is done for many at once; but not for more
  // than a small part of the cache.
  const std::size_t share = options.capacity / count;
  limbo_limit_ = options.plain_data ? std::clamp<std::size_t>(share / 32, 64, 2048)
                                    : std::clamp<std::size_t>(share / 64, 1, 64);
  for (std::size_t i = 0; i != count; ++i) {
    auto& one = *shards_.emplace_back(std::make_unique<shard>(options.entry_size));
    one.policy = eviction::make_policy(options.policy, one.entries, {options.capacity, options.max_weight},
                                       options.seed + i + 1);
    one.limbo.reserve(2 * limbo_limit_);
  }
  wants_uses_ = shards_.front()->policy->wants_uses();
  if (wants_uses_) noted_uses_.store(end_of_hashes, std::memory_order_relaxed);
  if (options.policy == eviction_policy::adaptive) {
    tuner_ = std::make_unique<eviction::window_tuner>(options.capacity, options.seed);
    window_.store(tuner_->window(), std::memory_order_relaxed);
    noted_uses_.store(tuner_->sampled(), std::memory_order_relaxed);
  }
  stripes_ = std::make_unique<stripe[]>(stripe_count_);
  for (std::size_t i = 0; i != stripe_count_; ++i) {
    stripes_[i].lanes.resize(count);
    stripes_[i].samples.reserve(64);
    for (lane& one : stripes_[i].lanes) {
      one.changes.reserve(batch_);
      one.free.reserve(batch_ + 1);
      if (wants_uses_) one.uses.reserve(64);
    }
  }
  set_limits();
  table_.store(new bucket_table(1), std::memory_order_release);
}

store::~store() {
  const bucket_table* const last = table_.load(std::memory_order_acquire);
  delete last->previous.load(std::memory_order_acquire);
  delete last;
  for (const old_table& one : old_tables_) delete one.table;
}

void store::dismantle(const std::function<void(entry_header&)>& destroy) {
  for (std::size_t i = 0; i != stripe_count_; ++i) {
    for (std::size_t s = 0; s != shards_.size(); ++s) {
      lane& one = stripes_[i].lanes[s];
      if (one.at_hand != nullptr) one.free.push_back(std::exchange(one.at_hand, nullptr));
      for (entry_header* const unused : one.free) shards_[s]->entries.give_back(*unused);
      one.free.clear();
    }
  }
  // What is allocated now holds a key and a value, whether it is in the table or waits for readers that are gone.
  for (const auto& one : shards_) {
    for (std::size_t chunk = 0; chunk != one->entries.chunk_count(); ++chunk) {
      one->entries.sweep(chunk, [&](handle, entry_header& entry) {
        destroy(entry);
        return INT64_MAX;
      });
    }
  }
}

std::vector<entry_header*> store::ordered(std::size_t count, bool hottest, time_point now) {
  drain(now);
  std::vector<std::vector<entry_header*>> parts;
  for (const auto& one : shards_) {
    auto& part = parts.emplace_back();
    if (count == 0) continue;
    const std::lock_guard lock{one->mutex};
    one->policy->visit(hottest, [&](handle which) {
      entry_header& entry = one->entries[which];
      if (!expired(entry, now)) part.push_back(&entry);
      return part.size() < count;
    });
  }
  std::vector<entry_header*> merged;
  for (std::size_t rank = 0; merged.size() < count; ++rank) {
    const std::size_t before = merged.size();
    for (const auto& part : parts) {
      if (rank < part.size() && merged.size() < count) merged.push_back(part[rank]);
    }
    if (merged.size() == before) break;
  }
  return merged;
}

std::size_t store::size() const noexcept {
  std::int64_t sum = 0;
  for (const auto& one : shards_) sum -= one->evicted.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i != stripe_count_; ++i) sum += stripes_[i].entries.load(std::memory_order_relaxed);
  return static_cast<std::size_t>(std::max<std::int64_t>(sum, 0));
}

void store::fill(cache_stats& stats) {
  {
    const epoch_domain::guard guard{epochs_};
    drain(time_point::min());
  }
  stats.capacity = capacity();
  stats.max_bytes = max_weight();
  stats.entries += size();
  for (const auto& one : shards_) {
    const std::lock_guard lock{one->mutex};
    stats.bytes += one->weight;
  }
  for (std::size_t i = 0; i != stats.evictions.size(); ++i) stats.evictions[i] += removals_.sum(i);
}

std::size_t store::bytes() const {
  std::size_t sum = table_.load(std::memory_order_acquire)->bytes() + (tuner_ ? tuner_->bytes() : 0);
  for (const auto& one : shards_) {
    const std::lock_guard lock{one->mutex};
    sum += one->entries.bytes() + one->limbo.capacity() * sizeof(retired);
  }
  return sum;
}

void store::check() {
  const epoch_domain::guard guard{epochs_};
  drain(time_point::min());
  const auto demand = [](bool holds, const std::string& sentence) {
    if (!holds) throw std::logic_error(sentence);
  };
  std::size_t in_table = 0;
  std::size_t weight = 0;
  for_each([&](entry_header& entry) {
    ++in_table;
    weight += entry.weight();
    const std::lock_guard lock{shard_of(entry.hash).mutex};
    demand(entry.queue != 0, "an entry in the table is unknown to its shard");
    demand((entry.flags & (unlinked_flag | finished_flag)) == 0, "an entry in the table is marked as removed");
  });
  demand(in_table == size(), "the table holds " + std::to_string(in_table) + " entries, the counters say " +
                                 std::to_string(size()));
  std::size_t linked = 0;
  std::size_t pinned = 0;
  std::size_t weighed = 0;
  for (const auto& one : shards_) {
    const std::lock_guard lock{one->mutex};
    linked += one->linked;
    pinned += one->pinned;
    weighed += one->weight;
    demand(one->promised == 0 && one->promised_weight == 0, "room is promised to nobody");
    demand(one->policy->size() <= one->linked, "the policy knows more entries than there are");
    demand(refuses_ || one->linked <= one->target, "a shard holds more entries than it may");
  }
  demand(linked + pinned == in_table, "the shards know " + std::to_string(linked + pinned) +
                                          " entries, the table holds " + std::to_string(in_table));
  demand(weighed == weight, "the shards' weights do not add up");
  const std::uint64_t sampled = wants_uses_ ? end_of_hashes : tuner_ ? tuner_->sampled() : 0;
  demand(noted_uses_.load(std::memory_order_relaxed) == sampled, "the tuner's sample is not the one that is noted");
}

}  // namespace seawall::local
