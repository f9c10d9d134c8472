#include "seawall/base/random.hpp"

#include <chrono>
#include <exception>
#include <random>

namespace seawall {

std::uint64_t entropy_seed() noexcept {
  // Clocks and a stack address are mixed in always: they cost nothing beside the device, and a device that fails or
  // answers a constant then still gives different seeds to different processes and calls.
  std::uint64_t seed = mix64(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));
  seed = mix64(seed ^ static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()));
  seed = mix64(seed ^ reinterpret_cast<std::uintptr_t>(&seed));
  try {
    std::random_device device;
    const std::uint64_t high = device();
    seed ^= (high << 32) | device();
  } catch (const std::exception&) {
    // The clocks have to do.
  }
  return seed;
}

}  // namespace seawall
