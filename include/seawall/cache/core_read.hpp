// The members of core that read what is in the process. Part of core.hpp; not to be included by itself.
#pragma once

#include "seawall/cache/core.hpp"

namespace seawall {

template <class K, class V, class Hash, class Eq>
template <class Q>
lookup<V> core<K, V, Hash, Eq>::look(const Q& key, std::size_t hash, bool noted) {
  lookup<V> found;
  const time_point coarse = clock_->coarse_now();
  engine_.read(key, hash, coarse, [&](local::entry<V>& item, local::entry_header& header) {
    if (!trusts(item, coarse + coarse_lag_)) return false;
    if (item.quiet(coarse + coarse_lag_)) [[likely]] {
      found.is = standing::fresh;
      found.value = item.value;
      found.version = item.tags.version();
      found.written = item.times.written;
      return true;
    }
    return look_closely(item, header, found, noted);
  });
  return found;
}

template <class K, class V, class Hash, class Eq>
template <class Q>
std::size_t core<K, V, Hash, Eq>::class_of(const Q& key) const noexcept {
  if (!options_.key_classes.of) return 0;
  try {
    if constexpr (std::same_as<Q, K>) return options_.key_classes.of(key);
    else return options_.key_classes.of(K(key));
  } catch (...) {
    return cache_recorder::max_classes;  // counts as "other"
  }
}

template <class K, class V, class Hash, class Eq>
bool core<K, V, Hash, Eq>::look_closely(local::entry<V>& item, local::entry_header& header, lookup<V>& found,
                                        bool noted) {
  if (kept_ && noted && item.first_use()) note_first_use(engine_type::key_of(header), item);
  local::stored_times stored{item.times};
  const local::entry_times times = stored.get();
  time_point now = clock_->coarse_now();
  if (now + coarse_lag_ < times.attention_from()) {
    found.is = standing::fresh;
  } else {
    now = clock_->now();
    found.is = standing_at(times, now, random_);
    if (found.is == standing::missing) return false;
  }
  found.value = item.value;
  found.version = item.tags.version();
  found.written = times.written;
  if (found.is == standing::on_error) return false;
  if (found.is != standing::stale && stored.use(times, now)) header.extend_deadline(engine_deadline(stored.get()));
  return true;
}

template <class K, class V, class Hash, class Eq>
template <class Q, class F>
bool core<K, V, Hash, Eq>::inspect(const Q& key, std::size_t hash, F&& inspector) {
  const time_point now = clock_->now();
  return engine_.read(key, hash, now, [&](local::entry<V>& item, local::entry_header&) {
    if (!trusts(item, now)) return false;
    inspector(local::entry<V>{item.value, local::stored_times{item.times}.get()}, now);
    return false;
  });
}

}  // namespace seawall
