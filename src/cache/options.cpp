#include "seawall/cache/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

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
  std::set<std::string_view> names{options.class_names.begin(), options.class_names.end()};
  if (options.class_names.size() > 63 || names.size() != options.class_names.size() || names.contains("") ||
      names.contains("other")) {
    return bad("key_classes.names", "at most 63 different names, none of them empty or 'other'");
  }
  if (names.empty() == options.classifies) {
    return bad("key_classes", "given with both `names` and `of`, or with neither");
  }
  const auto is_version = [](const std::string& text) {
    return text.size() <= 100 && text.find_first_of(":{}") == std::string::npos;
  };
  if (!is_version(options.shared_version)) {
    return bad("shared_version", "at most 100 characters, none of them :, { or }");
  }
  if (options.also_invalidates.size() > 8 || !std::ranges::all_of(options.also_invalidates, is_version)) {
    return bad("also_invalidates", "at most 8 versions, each as `shared_version`");
  }
  // A key that holds a value is fresh, and one that holds none has no value to serve.
  constexpr const char* over_plain = "zero where shared_format is plain";
  if (options.stores_plain && options.stale_for != duration::zero()) return bad("stale_for", over_plain);
  if (options.stores_plain && options.stale_if_error != duration::zero()) return bad("stale_if_error", over_plain);
  return {};
}

}  // namespace seawall::detail
