#include "seawall/cmd/expiry.hpp"

namespace seawall::cmd::detail {

std::string_view word_of(expire_when when) noexcept {
  switch (when) {
    case expire_when::always: return "";
    case expire_when::no_ttl: return "NX";
    case expire_when::has_ttl: return "XX";
    case expire_when::later: return "GT";
    case expire_when::sooner: return "LT";
  }
  return "";
}

void append_ttl(builder& made, std::optional<duration> ttl) {
  if (!ttl) return;
  made.time(*ttl, "EX", "PX").check(*ttl > duration::zero(), "the time to live must be positive");
}

void append_expire_at(builder& made, std::optional<server_time> at) {
  if (!at) return;
  made.text("PXAT").number(at->time_since_epoch().count());
  made.check(at->time_since_epoch().count() > 0, "the moment to expire must lie after 1970");
}

builder expire_builder(const timed_names& names, std::string_view key, duration ttl, expire_when when) {
  const bool whole = ttl % std::chrono::seconds{1} == duration::zero();
  builder made{whole ? names.seconds : names.milliseconds};
  made.key(key);
  if (whole) made.number(std::chrono::duration_cast<std::chrono::seconds>(ttl).count());
  else made.number(std::chrono::ceil<std::chrono::milliseconds>(ttl).count());
  made.flag(when != expire_when::always, word_of(when));
  made.check(ttl > duration::zero(), "the time to live must be positive");
  return made;
}

builder expire_at_builder(const command_name& name, std::string_view key, server_time at, expire_when when) {
  const std::int64_t moment = at.time_since_epoch().count();
  builder made{name};
  made.key(key).number(moment).flag(when != expire_when::always, word_of(when));
  made.check(moment > 0, "the moment to expire must lie after 1970");
  return made;
}

}  // namespace seawall::cmd::detail
