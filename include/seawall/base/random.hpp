// random_source: random numbers for jitter, early refresh and generations. Deterministic for a seed, so that a test or
// a simulation can repeat a run; not for secrets.
// Thread safety: next() and friends may be called from any thread at once; one atomic addition each, no lock.
#pragma once

#include <atomic>
#include <cstdint>

namespace seawall {

/// The splitmix64 output function: a bijection of 64-bit numbers in which every input bit moves every output bit.
constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// A fresh 64-bit seed from the operating system. Never throws: if the entropy device fails, clocks and addresses stand
/// in for it.
std::uint64_t entropy_seed() noexcept;

/// splitmix64 over an atomic counter. No number repeats within the first 2^64 calls of one source.
class random_source {
 public:
  random_source() noexcept : random_source(entropy_seed()) {}
  explicit random_source(std::uint64_t seed) noexcept : counter_(seed) {}

  std::uint64_t next() noexcept { return mix64(counter_.fetch_add(step, std::memory_order_relaxed) + step); }

  /// Uniform in [0, 1), in steps of 2^-53.
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

  /// Uniform in (0, 1]: safe to take the logarithm of.
  double uniform_open() noexcept { return static_cast<double>((next() >> 11) + 1) * 0x1p-53; }

 private:
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c15;
  std::atomic<std::uint64_t> counter_;
};

}  // namespace seawall
