// chance: the seed's only source of random numbers. coverage: how often each thing happened.
#pragma once

#include "seawall/base/random.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>

namespace simulation {

class chance {
 public:
  explicit chance(std::uint64_t seed) : random_(seed * 0x9e3779b97f4a7c15 + 1) {}
  std::size_t below(std::size_t limit) { return random_.next() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }

 private:
  seawall::random_source random_;
};

/// A simulation in which a guard never does its work proves nothing about it.
using coverage = std::map<std::string, std::uint64_t>;

}  // namespace simulation
