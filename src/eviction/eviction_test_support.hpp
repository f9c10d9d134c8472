// What the tests of this directory share: entries that are headers only, and a policy played against a model of it.
#pragma once

#include "seawall/eviction/policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace seawall::eviction {

/// Entries without keys and values.
class test_entries {
 public:
  handle make(std::uint32_t hash = 0, std::uint32_t weight = 1, std::int64_t deadline = INT64_MAX) {
    const handle which = headers.allocate();
    headers[which].hash = hash != 0 ? hash : ++made_ * 0x9e3779b1U;
    headers[which].set(deadline, weight);
    return which;
  }
  entry_header& operator[](handle which) const { return headers[which]; }

  arena headers{sizeof(entry_header)};

 private:
  std::uint32_t made_ = 0;
};

inline std::vector<handle> evict(policy& from, std::size_t entries, std::size_t weight = 0, std::size_t room = 64) {
  std::vector<handle> victims(room);
  victims.resize(from.evict(entries, weight, victims));
  return victims;
}

inline std::vector<handle> visited(const policy& from, bool hottest_first) {
  std::vector<handle> order;
  from.visit(hottest_first, [&](handle which) {
    order.push_back(which);
    return true;
  });
  return order;
}

/// What a policy should do, done in the most obvious way.
class policy_model {
 public:
  virtual ~policy_model() = default;
  virtual void add(handle which, std::uint32_t hash) = 0;
  virtual void use(handle which) = 0;
  virtual void remove(handle which) = 0;
  virtual void replace(handle old, handle now) = 0;
  virtual handle evict() = 0;
};

/// Plays a random game: both must name the same victims.
inline void expect_agreement(eviction_policy which, std::size_t capacity, policy_model& model,
                             const std::vector<std::uint16_t>& moves) {
  test_entries entries;
  const auto subject = make_policy(which, entries.headers, {.entries = capacity, .weight = 0}, 1);
  std::vector<handle> live;
  const auto forget = [&](handle gone) {
    std::erase(live, gone);
    entries.headers.release(gone);
  };
  const auto evict_one = [&] {
    const std::vector<handle> victims = evict(*subject, 1);
    ASSERT_EQ(victims, std::vector{model.evict()});
    ASSERT_EQ(entries[victims[0]].queue, 0U);
    forget(victims[0]);
  };
  for (const std::uint16_t move : moves) {
    const std::size_t argument = move / 8;
    const handle chosen = live.empty() ? no_handle : live[argument % live.size()];
    const bool add = live.empty() || move % 8 < 3;
    if (add) {
      // Few hashes, so that some come back after they were evicted; never two entries of one hash.
      std::uint32_t hash = 1 + argument % (3 * capacity);
      while (std::ranges::any_of(live, [&](handle each) { return entries[each].hash == hash; })) ++hash;
      live.push_back(entries.make(hash));
      subject->add(live.back());
      model.add(live.back(), hash);
      while (live.size() > capacity) ASSERT_NO_FATAL_FAILURE(evict_one());
    } else if (move % 8 < 5) {
      entries[chosen].use();
      if (subject->wants_uses()) subject->used(chosen);
      model.use(chosen);
    } else if (move % 8 == 5) {
      subject->remove(chosen);
      model.remove(chosen);
      ASSERT_EQ(entries[chosen].queue, 0U);
      forget(chosen);
    } else if (move % 8 == 6) {
      const handle now = entries.make(entries[chosen].hash);
      subject->replace(chosen, now);
      model.replace(chosen, now);
      live.push_back(now);
      forget(chosen);
    } else {
      ASSERT_NO_FATAL_FAILURE(evict_one());
    }
    ASSERT_EQ(subject->size(), live.size());
    std::vector<handle> seen = visited(*subject, true);
    std::vector<handle> backwards = visited(*subject, false);
    if (which != eviction_policy::random) std::ranges::reverse(backwards);
    ASSERT_EQ(seen, backwards);
    std::ranges::sort(seen);
    std::vector<handle> all = live;
    std::ranges::sort(all);
    ASSERT_EQ(seen, all);
  }
}

}  // namespace seawall::eviction
