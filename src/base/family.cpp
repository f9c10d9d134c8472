#include "seawall/base/family.hpp"

#include <utility>

namespace seawall {

family::family(std::string_view name, std::shared_ptr<random_source> random)
    : name_(name), random_(std::move(random)), generation_(draw()) {}

std::uint64_t family::retire() noexcept {
  // Two threads may retire at once. Each draws a number of its own and stores it once, so whichever store is last, the
  // generation is one that no key carried before both calls began.
  const std::uint64_t fresh = draw();
  generation_.store(fresh, std::memory_order_release);
  return fresh;
}

}  // namespace seawall
