#include "checker.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace seawall::demo {
namespace {

void raise(std::atomic<std::uint32_t>& least, std::uint32_t to) noexcept {
  std::uint32_t now = least.load();
  while (now < to && !least.compare_exchange_weak(now, to)) {
  }
}

std::string describe(const request_key& key) {
  const auto page = key.kind == request_kind::order_list ? fmt::format(" page {}", key.page) : std::string{};
  return fmt::format("{} {}{}", name_of(key.kind), key.id, page);
}

std::optional<std::int64_t> nanoseconds_of(std::optional<duration> bound) {
  if (!bound) return {};
  return std::chrono::duration_cast<std::chrono::nanoseconds>(*bound).count();
}

}  // namespace

checker::checker(commit_record& commits, std::optional<duration> bound)
    : commits_(commits), bound_ns_(nanoseconds_of(bound)) {
  if (bound_ns_) {
    own_ = floors(commits.rows());
    return;
  }
  for (std::size_t kind = 0; kind < request_kinds; ++kind) {
    const auto source = version_source({static_cast<request_kind>(kind), 0, 0}).in;
    const std::size_t pages = static_cast<request_kind>(kind) == request_kind::order_list ? list_pages : 1;
    seen_[kind] = floors(commits.rows_of(source) * pages);
  }
}

std::atomic<std::uint32_t>& checker::seen(const request_key& key) const noexcept {
  auto& slots = seen_[static_cast<std::size_t>(key.kind)];
  const std::size_t slot =
      key.kind == request_kind::order_list ? std::size_t{key.id} * list_pages + key.page : std::size_t{key.id};
  return slots[slot < slots.size() ? slot : 0];
}

expectation checker::expect(const request_key& key, consistency read_as, std::int64_t now_ns) const noexcept {
  const row source = version_source(key);
  const commit_record::mark newest = commits_.newest(source);
  if (!bound_ns_) return {std::max(newest.version(), seen(key).load()), {}, now_ns};
  const std::uint32_t own = own_[commits_.index_of(source)].load();
  if (read_as == consistency::fresh) return {std::max(newest.version(), own), {}, now_ns, ", asked for fresh"};
  return {own, newest, now_ns, ", after a write of its own process"};
}

judgement checker::judge(const request_key& key, const expectation& expected, const answer* given) const noexcept {
  if (given == nullptr || !(given->key == key)) return {verdict::wrong};
  if (given->version > commits_.started(version_source(key))) return {verdict::impossible};
  if (given->version < expected.least) return {verdict::stale};
  if (given->version >= expected.newest.version()) return {verdict::good};
  const std::int64_t age = expected.asked_at - commits_.first_newer(expected.newest, given->version);
  return {age > bound_ns_.value_or(0) ? verdict::stale : verdict::behind, age};
}

judgement checker::check(const request_key& key, const expectation& expected, const answer* given) {
  const judgement j = judge(key, expected, given);
  if (j.is == verdict::good) {
    if (!bound_ns_ && given->version > expected.least) raise(seen(key), given->version);
  } else if (j.is != verdict::behind) {
    complain(key, expected, given, j);
  }
  return j;
}

void checker::complain(const request_key& key, const expectation& expected, const answer* given, const judgement& j) {
  const std::scoped_lock lock(mutex_);
  if (complaints_.size() >= max_complaints) return;
  if (given == nullptr) {
    complaints_.push_back(fmt::format("{}: no answer, although the row exists", describe(key)));
  } else if (j.is == verdict::wrong) {
    complaints_.push_back(fmt::format("{}: got the answer to {}", describe(key), describe(given->key)));
  } else if (j.is == verdict::impossible) {
    complaints_.push_back(fmt::format("{}: got version {}, newer than any write ({})", describe(key), given->version,
                                      commits_.started(version_source(key))));
  } else if (j.age_ns > 0) {
    complaints_.push_back(fmt::format("{}: stale: got version {}, although a newer one was invalidated {} ms before",
                                      describe(key), given->version, j.age_ns / 1'000'000));
  } else {
    complaints_.push_back(fmt::format("{}: stale: got version {}, expected {} or newer{}", describe(key),
                                      given->version, expected.least, expected.why));
  }
}

void checker::acknowledged_here(const row_version& r) noexcept {
  if (bound_ns_) raise(own_[commits_.index_of(r.which)], r.version);
}

std::vector<std::string> checker::complaints() const {
  const std::scoped_lock lock(mutex_);
  return complaints_;
}

}  // namespace seawall::demo
