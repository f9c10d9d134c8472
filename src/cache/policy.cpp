#include "seawall/cache/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace seawall {
namespace {

// `span * share` for a span that may be `forever`.
duration scaled(duration span, double share) noexcept {
  const double product = static_cast<double>(span.count()) * share;
  if (product >= static_cast<double>(duration::max().count())) return forever;
  return duration{static_cast<duration::rep>(product)};
}

duration at_least_zero(duration value) noexcept { return std::max(value, duration::zero()); }

double share(double value) noexcept { return std::isnan(value) ? 0.0 : std::clamp(value, 0.0, 1.0); }

result<void> out_of_range(const char* field, const char* range) {
  return fail(errc::invalid_argument, fmt::format("{} must be {}", field, range));
}

}  // namespace

entry_policy entry_policy::with(const entry_options& options) const {
  entry_policy merged = *this;
  merged.ttl = at_least_zero(options.ttl.value_or(ttl));
  merged.jitter = share(options.jitter.value_or(jitter));
  merged.sliding = at_least_zero(options.sliding.value_or(sliding));
  merged.negative_ttl = at_least_zero(options.negative_ttl.value_or(negative_ttl));
  merged.stale_for = at_least_zero(options.stale_for.value_or(stale_for));
  merged.stale_if_error = at_least_zero(options.stale_if_error.value_or(stale_if_error));
  merged.refresh_ahead = share(options.refresh_ahead.value_or(refresh_ahead));
  const double beta = options.xfetch_beta.value_or(xfetch_beta);
  merged.xfetch_beta = std::isnan(beta) ? 0.0 : std::clamp(beta, 0.0, 1000.0);
  merged.no_store = options.no_store.value_or(no_store);
  return merged;
}

result<void> entry_policy::validate() const {
  const auto negative = [](duration value) { return value < duration::zero(); };
  const auto is_share = [](double value) { return value >= 0 && value <= 1; };
  if (ttl <= duration::zero()) return out_of_range("ttl", "positive (`seawall::forever` for no limit)");
  if (!is_share(jitter)) return out_of_range("jitter", "between 0 and 1, a share of the ttl");
  if (negative(sliding)) return out_of_range("sliding", "zero (off) or positive");
  if (sliding > ttl) return out_of_range("sliding", "no longer than ttl, which is its absolute cap");
  if (negative(negative_ttl)) return out_of_range("negative_ttl", "zero (off) or positive");
  if (negative(stale_for)) return out_of_range("stale_for", "zero (off) or positive");
  if (negative(stale_if_error)) return out_of_range("stale_if_error", "zero (off) or positive");
  if (!is_share(refresh_ahead)) return out_of_range("refresh_ahead", "between 0 and 1, a share of the ttl");
  if (!(xfetch_beta >= 0 && xfetch_beta <= 1000)) return out_of_range("xfetch_beta", "between 0 (off) and 1000");
  return {};
}

std::optional<local::entry_times> entry_policy::times_of_value(time_point now, duration load_time, double draw) const {
  if (no_store || ttl <= duration::zero()) return std::nullopt;
  const duration life = ttl == forever ? forever : ttl - scaled(ttl, jitter * draw);
  local::entry_times times;
  times.written = now;
  times.fresh_cap = after(now, life);
  times.sliding = sliding;
  times.fresh_until = sliding > duration::zero() ? std::min(after(now, sliding), times.fresh_cap) : times.fresh_cap;
  times.stale_for = stale_for;
  times.stale_if_error = stale_if_error;
  times.refresh_before = refresh_before(life);
  times.xfetch_scale = scaled(load_time, xfetch_beta);
  return times;
}

std::optional<local::entry_times> entry_policy::times_of_absence(time_point now, duration load_time,
                                                                 double draw) const {
  entry_policy absence = *this;
  absence.ttl = negative_ttl;
  absence.sliding = duration::zero();
  absence.stale_if_error = duration::zero();
  return absence.times_of_value(now, load_time, draw);
}

duration entry_policy::refresh_before(duration life) const noexcept {
  return life == forever ? duration::zero() : scaled(life, refresh_ahead);
}

standing standing_at(const local::entry_times& times, time_point now, random_source& random) {
  if (now < times.fresh_until) {
    if (now < times.attention_from()) return standing::fresh;
    const duration left = times.fresh_cap - now;
    if (left <= times.refresh_before) return standing::refresh_due;
    if (times.xfetch_scale > duration::zero()) {
      const double lead = -static_cast<double>(times.xfetch_scale.count()) * std::log(random.uniform_open());
      if (lead >= static_cast<double>(left.count())) return standing::refresh_due;
    }
    return standing::fresh;
  }
  if (now < times.stale_until()) return standing::stale;
  if (now < times.error_until()) return standing::on_error;
  return standing::missing;
}

}  // namespace seawall
