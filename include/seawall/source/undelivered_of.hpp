// undelivered_of: what a cache still owes to its shared tier. Part of outbox.hpp and change_capture.hpp.
#pragma once

#include <cstddef>
#include <functional>

namespace seawall::detail {

/// What has no shared tier owes nothing.
template <class Cache>
std::function<std::size_t()> undelivered_of(const Cache& cache) {
  if constexpr (requires { cache.undelivered(); }) return [&cache] { return cache.undelivered(); };
  else return [] { return std::size_t{0}; };
}

}  // namespace seawall::detail
