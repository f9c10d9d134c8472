// family: a version that retires many keys at once. Keys built with .version(family) carry the family's generation;
// retire() moves to a fresh one, so every older key stops being asked for and ages out of the cache by itself.
//   seawall::family catalog{"catalog"};
//   auto key = seawall::key("product").version(catalog).id(7).str();      // product:catalog@5f0c6a1be98d3372:7
//   catalog.retire();                                                     // in O(1), whatever the number of keys
// A generation is a random 64-bit number and never a counter: a counter that starts again at 1 (a restart, an
// eviction) would make entries match that were retired long ago. Every retire() draws anew from the operating
// system, so processes, forked ones too, go separate ways; two of a million generations agree with odds below 1 in
// 10 million.
// A load in flight when retire() is called stores its value under the key it was started with, the old one, where
// nobody looks any more. Build the key before the load, once, and use it for both.
// The generation lives in this process. For processes that share a tier there is shared_family, whose version is in the
// tier.
// Thread safety: everything may be called from any thread; generation() is one atomic load.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "seawall/base/random.hpp"

namespace seawall {

class family {
 public:
  /// Starts in a fresh generation. `random` replaces the operating system's randomness in tests and simulations.
  explicit family(std::string_view name, std::shared_ptr<random_source> random = nullptr);

  family(const family&) = delete;
  family& operator=(const family&) = delete;

  const std::string& name() const noexcept { return name_; }

  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  /// Moves to a fresh generation and returns it. Keys built after the return carry it, or a later one.
  std::uint64_t retire() noexcept;

  /// Takes over a generation that was drawn elsewhere. Requires: it was not in use before.
  void adopt(std::uint64_t generation) noexcept { generation_.store(generation, std::memory_order_release); }

 private:
  std::uint64_t draw() noexcept { return random_ ? random_->next() : entropy_seed(); }

  const std::string name_;
  const std::shared_ptr<random_source> random_;
  std::atomic<std::uint64_t> generation_;
};

}  // namespace seawall
