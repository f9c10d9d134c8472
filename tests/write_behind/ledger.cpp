#include "ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace kills {
namespace {

constexpr std::int64_t page = 10'000;

template <class T>
T value_of(seawall::result<T> answer) {
  if (!answer) throw std::runtime_error(answer.error().message());
  return *std::move(answer);
}

}  // namespace

void ledger::note(const std::string& line) {
  int key = 0;
  long long number = 0;
  if (std::sscanf(line.c_str(), "ack %d %lld", &key, &number) != 2) return;
  last_[key] = number;
  ++count_;
}

void ledger::read_history(seawall::sql::database& db, findings& found) {
  using row = std::tuple<std::int64_t, int, std::optional<std::int64_t>, std::int64_t>;
  for (bool more = true; more;) {
    const auto rows = value_of(db.query<row>("SELECT id, key, value, version FROM history WHERE id > $1 ORDER BY id "
                                             "LIMIT $2", read_to_, page));
    for (const auto& [id, key, value, version] : rows) {
      effect& seen = effects_[key];
      const std::int64_t number = value.value_or(seen.number / 10 * 10 + 9);
      const bool again = version == seen.version;
      const bool late = version < seen.version || (value && number <= seen.number && !again);
      found.repeated += again ? 1 : 0;
      found.reordered += late ? 1 : 0;
      if (again || late) {
        found.examples.push_back(fmt::format("key {}: operation {} (version {}) took effect after {} (version {})", key,
                                             number, version, seen.number, seen.version));
      }
      seen = {version, std::max(number, seen.number)};
      read_to_ = id;
    }
    more = std::cmp_equal(rows.size(), page);
  }
}

findings ledger::check(seawall::sql::database& db) {
  findings found;
  read_history(db, found);
  for (const auto& [key, number] : last_) {
    const auto row = value_of(db.query_one<std::tuple<std::optional<std::int64_t>>>(
        "SELECT value FROM rows WHERE key = $1", key));
    // Removed: by the operation that ends in 9, which the one before may have been the last acknowledged of.
    const bool there = row && (std::get<0>(*row) ? *std::get<0>(*row) >= number : number % 10 >= 8);
    if (there) continue;
    ++found.lost;
    found.examples.push_back(fmt::format("key {}: operation {} was acknowledged, the database has {}", key, number,
                                         !row                ? "no row"
                                         : std::get<0>(*row) ? std::to_string(*std::get<0>(*row))
                                                             : "a removed one"));
  }
  return found;
}

}  // namespace kills
