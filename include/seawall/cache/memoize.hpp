// memoize: results of an expensive call, cached under a key made from the canonical hash of its arguments.
//
//   seawall::cache<std::string, report> reports{{.name = "reports", .ttl = 10min}};
//   auto sales = seawall::memoize(reports, "sales", [&](const std::string& region, int year) {
//     return db.sales(region, year);
//   });
//   auto answer = sales("north", 2026);   // result<value_ptr<report>>
//   sales.invalidate("north", 2026);
//
// Arguments may be of any type that `params` takes; equal arguments make equal keys in every process (see params.hpp).
// Thread safety: that of the function. The cache must outlive it.
#pragma once

#include "seawall/base/key_builder.hpp"
#include "seawall/base/params.hpp"
#include "seawall/cache.hpp"

#include <string>
#include <utility>

namespace seawall {

template <class Cache, class Function>
class memoized {
 public:
  memoized(Cache& results, std::string name, Function function)
      : results_(&results), name_(std::move(name)), function_(std::move(function)) {}

  /// The function's result for these arguments, from the cache or by calling it. It may return what a loader may.
  template <class... Args>
  typename Cache::answer operator()(const Args&... arguments) {
    return results_->get_or_load(key(arguments...), [&](const std::string&) { return function_(arguments...); });
  }

  /// Forgets the result for these arguments.
  template <class... Args>
  bool invalidate(const Args&... arguments) {
    return results_->invalidate(key(arguments...));
  }

  /// The key under which the result for these arguments is kept.
  template <class... Args>
  std::string key(const Args&... arguments) const {
    params given;
    int position = 0;
    ((given = std::move(given).add(std::to_string(position++), arguments)), ...);
    return seawall::key(name_).hashed(given).str();
  }

 private:
  Cache* results_;
  std::string name_;
  Function function_;
};

/// `name` keeps the results of different functions in one cache apart.
template <class V, class Hash, class Eq, class Function>
auto memoize(cache<std::string, V, Hash, Eq>& results, std::string name, Function function) {
  return memoized<cache<std::string, V, Hash, Eq>, Function>{results, std::move(name), std::move(function)};
}

}  // namespace seawall
