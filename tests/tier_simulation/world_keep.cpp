#include "world.hpp"

#include <algorithm>
#include <utility>

namespace simulation {
namespace {

constexpr duration jump_of_the_end = 5ms;
// So many pass at least: time alone may jump over the moments at which keys are looked at.
constexpr int most_steps_of_the_end = 4'000;

struct known_fault {
  std::size_t kind;
  const char* survived;
};

constexpr known_fault survived_faults[] = {
    {0, "a key was kept over a lost connection"}, {2, "a key was kept over a stop of a process"},
    {3, "a key was kept over the end of a process"}, {4, "a key was kept over a partition"},
    {6, "a key was kept over a flush"}, {11, "a key was kept over a failover"},
};

}  // namespace

void world::draw_keeping() {
  if (!added_.one_in(3)) return;
  keep_ = {.stop_after = added_.pick<duration>({100ms, 500ms}),
           .every = policy_.ttl > 1s ? 100ms : added_.pick<duration>({0ms, 30ms}),
           .most_keys = added_.pick<std::size_t>({1, 100, 100}),
           .concurrent = added_.pick<std::size_t>({1, 4})};
  rights_.emplace(plain_);
}

/// Only the schedule has this loader, and for each load it must have got a right anew.
seawall::loaded<int> world::kept_load(process& one, int key) {
  note("process {}: loads key {}, which it keeps fresh", one.id, key);
  if (!rights_->use(one.life, key)) {
    broken(fmt::format("process {}: key {} is kept fresh without the right to load it", one.id, key));
  }
  const std::uint32_t survived = std::exchange(faults_since_kept_[key], 0);
  for (const known_fault& known : survived_faults) {
    if ((survived >> known.kind & 1) != 0) ++seen_[known.survived];
  }
  return bound_load(one, key);
}

/// After each change of the primary.
void world::look_at_rights(const load_rights::change& what) {
  if (!rights_) return;
  if (const auto wrong = rights_->look(primary().keys(), server_now_ms_, what)) broken(*wrong);
}

/// Nobody reads any more: after a while no key is kept.
void world::stop_keeping() {
  if (!rights_ || broken_) return;
  note("nobody reads any more");
  const auto keeps = [](const auto& one) { return one->cache->stats().kept_keys != 0; };
  if (std::ranges::any_of(processes_, keeps)) ++seen_["keys were kept when nobody read any more"];
  const duration interval = keep_.every > duration::zero() ? std::min(keep_.every, policy_.ttl) : policy_.ttl;
  // A use is found an interval after it, and that nobody used the key at the first look after `stop_after`. What the
  // tier has lasts longer by what the server's clock went back.
  const time_point end = now_ + keep_.stop_after + 3 * interval + clock_slack_ + 200ms;
  for (int i = 0; !broken_; ++i) {
    if (std::ranges::none_of(processes_, keeps)) return;
    if (now_ > end && i > most_steps_of_the_end) return broken("a key is kept though nobody reads it");
    step(0);
    if (i % 16 == 0) pass_until(now_ + jump_of_the_end);
  }
}

}  // namespace simulation
