// A key together with its hash: the hash is computed once per call and never again, not even when a table grows.
#pragma once

#include <cstddef>
#include <utility>

namespace seawall::local {

template <class K>
struct prehashed {
  K key;
  std::size_t hash;
};

/// The look-up form: refers to any type that the equality can compare with K.
template <class Q>
struct prehashed_ref {
  const Q& key;
  std::size_t hash;
};

struct prehash {
  using is_transparent = void;
  std::size_t operator()(const auto& item) const noexcept { return item.hash; }
};

template <class K, class Eq>
struct prehashed_equal {
  using is_transparent = void;
  [[no_unique_address]] Eq equal{};

  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return a.hash == b.hash && equal(a.key, b.key);
  }
};

}  // namespace seawall::local
