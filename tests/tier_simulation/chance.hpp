// chance: the seed's only source of random numbers. coverage: how often each thing happened.
#pragma once

#include "seawall/base/random.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <unordered_map>

namespace simulation {

/// The numbers of a seawall::random_source, for one thread: dozens are drawn for each step.
class chance {
 public:
  explicit chance(std::uint64_t seed) : state_(seed * step + 1) {}
  std::size_t below(std::size_t limit) { return seawall::mix64(state_ += step) % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }

 private:
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c15;
  std::uint64_t state_;
};

/// A simulation in which a guard never does its work proves nothing about it.
using coverage = std::map<std::string, std::uint64_t>;

/// Counts what happens by the addresses of its names, which are literals: most steps count something.
class tally {
 public:
  std::uint64_t& operator[](const char* name) { return counts_[name]; }
  void add_to(coverage& sum) const {
    for (const auto& [name, times] : counts_) sum[name] += times;
  }

 private:
  std::unordered_map<const char*, std::uint64_t> counts_;
};

}  // namespace simulation
