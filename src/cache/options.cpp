#include "seawall/cache/options.hpp"

#include <fmt/format.h>

namespace seawall::detail {

result<void> validate(const plain_options& options) {
  const auto bad = [&](const char* field, const char* range) -> result<void> {
    return fail(errc::invalid_argument, fmt::format("cache '{}': {} must be {}", options.name, field, range));
  };
  if (options.name.empty() || options.name.size() > 100) return bad("name", "1 to 100 characters long");
  if (options.capacity < 1 || options.capacity > (std::size_t{1} << 32)) return bad("capacity", "1 to 2^32 entries");
  if (options.deadline <= duration::zero()) return bad("deadline", "positive (`seawall::forever` for no limit)");
  if (options.load_deadline <= duration::zero()) {
    return bad("load_deadline", "positive (`seawall::forever` for no limit)");
  }
  if (options.backoff.initial < duration::zero()) return bad("backoff.initial", "zero (off) or positive");
  if (options.backoff.max < options.backoff.initial) return bad("backoff.max", "no shorter than backoff.initial");
  if (options.max_concurrent_loads < 1 || options.max_concurrent_loads > 65'536) {
    return bad("max_concurrent_loads", "1 to 65536");
  }
  if (options.class_names > 63) return bad("key_classes.names", "at most 63 names");
  if ((options.class_names != 0) != options.classifies) {
    return bad("key_classes", "given with both `names` and `of`, or with neither");
  }
  return {};
}

}  // namespace seawall::detail
