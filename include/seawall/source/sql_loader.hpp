// Loaders from queries.
//
//   seawall::cache<int, product> products{{
//       .name = "products",
//       .loader = sql::row<product>(db, "SELECT id, name, price, note FROM products WHERE id = ?1")}};
//   auto some = products.get_many(ids, sql::rows_by<product>(db, "SELECT id, name, price, note FROM products "
//                                                                "WHERE id IN (SELECT value FROM json_each(?1))",
//                                                            &product::id));
//
// A key is one argument; a tuple, a pair or a described struct is one for each part. No row: the source has none, which
// is cached as an absence. Several rows are an error. What a T may be: see sql_rows.hpp.
// Thread safety: constant calls may be made from any thread at once. Each holds the database.
#pragma once

#include "seawall/cache.hpp"
#include "seawall/source/sql_database.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seawall::sql {

struct row_options {
  /// The column with the row's version: a number > 0 that grows with each commit that changes the row. It becomes the
  /// version of the entry, for consistency::at_least and versioned puts. Empty: none.
  std::string version{};
  /// Instead of a column: the place in the database's log up to which the answer has all commits. Of a
  /// postgres::replica, while its standby answers; else, and of absences, there is none. For consistency::at_least with
  /// what replica::position says after a commit has returned. Never in a cache that values are put in with versions
  /// (sql::transaction::publishes): a column's numbers are lower than any place, so that nothing would be replaced.
  bool log_position = false;
};

namespace detail {

/// What a loader answers: the value of a row, with its version.
template <class T>
result<loaded<T>> to_answer(T value, const row_view& from, const row_options& how) {
  if (how.log_position) return loaded<T>(std::move(value)).with({.version = from.log_position()});
  if (how.version.empty()) return loaded<T>(std::move(value));
  auto version = from.get<std::uint64_t>(how.version);
  if (!version) return std::unexpected(std::move(version).error());
  if (*version == 0) return std::unexpected(from.problem("the version in '" + how.version + "' is 0, not above"));
  return loaded<T>(std::move(value)).with({.version = *version});
}

}  // namespace detail

template <class T>
class row_loader {
 public:
  row_loader(std::shared_ptr<database> db, std::string statement, row_options how)
      : db_(std::move(db)), statement_(std::move(statement)), how_(std::move(how)) {}

  template <class K>
  result<loaded<T>> operator()(const K& key) const {
    arguments given;
    given.add_key(key);
    const auto to_answer = [this](const row_view& row) -> result<loaded<T>> {
      auto made = row.as<T>();
      if (!made) return std::unexpected(std::move(made).error());
      return detail::to_answer<T>(*std::move(made), row, how_);
    };
    auto found = db_->mapped(statement_, to_answer, given);
    if (!found) return std::unexpected(std::move(found).error());
    if (found->empty()) return loaded<T>(not_found);
    if (found->size() == 1) return std::move(found->front());
    return fail(errc::mapping, "\"" + shortened(statement_) + "\" has " + std::to_string(found->size()) +
                                   " rows for one key");
  }

 private:
  std::shared_ptr<database> db_;
  std::string statement_;
  row_options how_;
};

/// A loader of one row for `cache_options::loader` and `get_or_load`.
template <class T>
row_loader<T> row(std::shared_ptr<database> db, std::string statement, row_options how = {}) {
  return {std::move(db), std::move(statement), std::move(how)};
}

template <class T, class Id, class Owner>
class rows_loader {
 public:
  rows_loader(std::shared_ptr<database> db, std::string statement, Id Owner::*id, row_options how)
      : db_(std::move(db)), statement_(std::move(statement)), id_(id), how_(std::move(how)) {}

  template <class K>
  result<std::vector<loaded<T>>> operator()(std::span<const K> keys) const {
    std::unordered_map<Id, std::size_t, hash<Id>> places;
    std::vector<loaded<T>> answers;
    answers.reserve(keys.size());
    for (const K& key : keys) {
      places.emplace(key, answers.size());
      answers.emplace_back(not_found);
    }
    arguments given;
    given.add(keys);
    const auto place_row = [&](const row_view& row) -> result<bool> {
      auto made = row.as<T>();
      if (!made) return std::unexpected(std::move(made).error());
      const auto place = places.find((*made).*id_);
      if (place == places.end()) return std::unexpected(row.problem("nobody asked for its key"));
      auto answer = detail::to_answer<T>(*std::move(made), row, how_);
      if (!answer) return std::unexpected(std::move(answer).error());
      answers[place->second] = *std::move(answer);
      return true;
    };
    auto done = db_->mapped(statement_, place_row, given);
    if (!done) return std::unexpected(std::move(done).error());
    return answers;
  }

 private:
  std::shared_ptr<database> db_;
  std::string statement_;
  Id Owner::*id_;
  row_options how_;
};

/// A loader of many rows for `get_many`: one statement with one argument, the list of the keys. `id` is the member that
/// has a row's key. Keys without a row are absences.
template <class T, class Id, class Owner>
rows_loader<T, Id, Owner> rows_by(std::shared_ptr<database> db, std::string statement, Id Owner::*id,
                                  row_options how = {}) {
  return {std::move(db), std::move(statement), id, std::move(how)};
}

}  // namespace seawall::sql
