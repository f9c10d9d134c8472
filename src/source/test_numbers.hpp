// A cache of numbers beside a database, and a load that fails.
#pragma once

#include "seawall/cache.hpp"
#include "seawall/testing.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace seawall::sql_test {

using numbers = cache<int, std::int64_t>;

inline cache_options<int, std::int64_t> named(std::string name) {
  return {.name = std::move(name), .executor = std::make_shared<manual_executor>()};
}

inline std::unexpected<error> refused() { return seawall::fail(seawall::errc::loader_failed, "refused"); }

}  // namespace seawall::sql_test
