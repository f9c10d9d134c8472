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

template <class T>
std::size_t index_of(T enumerator) {
  return static_cast<std::size_t>(enumerator);
}

std::string describe(const request_key& key) {
  const auto page = key.kind == request_kind::order_list ? fmt::format(" page {}", key.page) : std::string{};
  return fmt::format("{} {}{}", name_of(key.kind), key.id, page);
}

}  // namespace

checker::checker(const shop_size& size) {
  // Index 0 stands for every id that the shop does not have.
  rows_[index_of(table::products)] = std::vector<row_state>(size.products + 1);
  rows_[index_of(table::users)] = std::vector<row_state>(size.users + 1);
  rows_[index_of(table::orders)] = std::vector<row_state>(size.orders + 1);
  for (std::size_t kind = 0; kind < request_kinds; ++kind) {
    const auto source = version_source({static_cast<request_kind>(kind), 0, 0}).in;
    const std::size_t pages = static_cast<request_kind>(kind) == request_kind::order_list ? list_pages : 1;
    seen_[kind] = std::vector<std::atomic<std::uint32_t>>(rows_[index_of(source)].size() * pages);
  }
}

const checker::row_state& checker::state(const row& r) const noexcept {
  const auto& rows = rows_[index_of(r.in)];
  return rows[r.id < rows.size() ? r.id : 0];
}

checker::row_state& checker::state(const row& r) noexcept {
  auto& rows = rows_[index_of(r.in)];
  return rows[r.id < rows.size() ? r.id : 0];
}

std::atomic<std::uint32_t>& checker::seen(const request_key& key) const noexcept {
  auto& slots = seen_[index_of(key.kind)];
  const std::size_t slot =
      key.kind == request_kind::order_list ? std::size_t{key.id} * list_pages + key.page : std::size_t{key.id};
  return slots[slot < slots.size() ? slot : 0];
}

void checker::seed(const row_version& r) {
  row_state& s = state(r.which);
  s.acknowledged.store(r.version);
  s.started.store(r.version);
}

std::uint32_t checker::floor(const request_key& key) const noexcept {
  return std::max(state(version_source(key)).acknowledged.load(), seen(key).load());
}

verdict checker::judge(const request_key& key, std::uint32_t floor, const answer* given) const noexcept {
  if (given == nullptr || !(given->key == key)) return verdict::wrong;
  if (given->version > state(version_source(key)).started.load()) return verdict::impossible;
  if (given->version < floor) return verdict::stale;
  return verdict::good;
}

verdict checker::check(const request_key& key, std::uint32_t floor, const answer* given) {
  const verdict v = judge(key, floor, given);
  if (v == verdict::good) {
    if (given->version > floor) raise(seen(key), given->version);
  } else {
    complain(key, floor, given, v);
  }
  return v;
}

void checker::complain(const request_key& key, std::uint32_t floor, const answer* given, verdict v) {
  const std::scoped_lock lock(mutex_);
  if (complaints_.size() >= max_complaints) return;
  if (given == nullptr) {
    complaints_.push_back(fmt::format("{}: no answer, although the row exists", describe(key)));
  } else if (v == verdict::wrong) {
    complaints_.push_back(fmt::format("{}: got the answer to {}", describe(key), describe(given->key)));
  } else if (v == verdict::impossible) {
    complaints_.push_back(fmt::format("{}: got version {}, newer than any write ({})", describe(key), given->version,
                                      state(version_source(key)).started.load()));
  } else {
    complaints_.push_back(
        fmt::format("{}: stale: got version {}, expected {} or newer", describe(key), given->version, floor));
  }
}

void checker::starting(const row_version& r) noexcept { raise(state(r.which).started, r.version); }

void checker::acknowledged(const row_version& r) noexcept { raise(state(r.which).acknowledged, r.version); }

std::vector<std::string> checker::complaints() const {
  const std::scoped_lock lock(mutex_);
  return complaints_;
}

}  // namespace seawall::demo
