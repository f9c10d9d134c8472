#include "seawall/cache/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

namespace seawall::detail {
namespace {

// Says which field of which cache is out of its range.
auto complaints_about(const plain_options& options) {
  return [&name = options.name](const char* field, const char* range) -> result<void> {
    return fail(errc::invalid_argument, fmt::format("cache '{}': {} must be {}", name, field, range));
  };
}

result<void> validate_keeping(const plain_options& options) {
  const auto bad = complaints_about(options);
  const keep_fresh_options& keep = options.keep_fresh;
  if (keep.stop_after < duration::zero()) return bad("keep_fresh.stop_after", "zero (off) or positive");
  if (keep.every < duration::zero()) return bad("keep_fresh.every", "zero (by the TTL) or positive");
  if (keep.most_keys < 1 || keep.most_keys > (std::size_t{1} << 24)) return bad("keep_fresh.most_keys", "1 to 2^24");
  if (keep.concurrent < 1 || keep.concurrent > 65'536) return bad("keep_fresh.concurrent", "1 to 65536");
  if (keep.on() && !options.has_loader) return bad("loader", "given where keep_fresh is");
  if (keep.on() && options.sliding != duration::zero()) return bad("sliding", "zero where keys are kept fresh");
  return {};
}

}  // namespace

result<void> validate(const plain_options& options) {
  const auto bad = complaints_about(options);
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
  return validate_keeping(options);
}

}  // namespace seawall::detail
