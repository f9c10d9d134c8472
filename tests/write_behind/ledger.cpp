#include "ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
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

// The version of each key.
std::map<int, std::int64_t> read_rows(seawall::sql::database& db) {
  std::map<int, std::int64_t> all;
  for (int after = -1;;) {
    const auto rows = value_of(db.query<std::pair<int, std::int64_t>>(
        "SELECT key, version FROM rows WHERE key > $1 ORDER BY key LIMIT $2", after, page));
    for (const auto& [key, version] : rows) all[after = key] = version;
    if (std::cmp_less(rows.size(), page)) return all;
  }
}

}  // namespace

void ledger::note(const std::string& line) {
  int key = 0;
  long long number = 0;
  long long version = 0;
  if (std::sscanf(line.c_str(), "ack %d %lld %lld", &key, &number, &version) != 3) return;
  last_[key] = {.version = version, .number = number};
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
  const auto rows = read_rows(db);
  for (const auto& [key, last] : last_) {
    const auto row = rows.find(key);
    if (row != rows.end() && row->second >= last.version) continue;
    ++found.lost;
    found.examples.push_back(
        fmt::format("key {}: operation {} (version {}) was acknowledged, the database has {}", key, last.number,
                    last.version, row == rows.end() ? "no row" : fmt::format("version {}", row->second)));
  }
  return found;
}

}  // namespace kills
