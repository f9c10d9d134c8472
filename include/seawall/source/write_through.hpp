// Write-through: one row is changed, committed, and its key taken care of, by one call.
//
//   auto written = seawall::update(products, 7, db, [](seawall::sql::transaction& t, int id) {
//     return t.execute("UPDATE products SET price = 990 WHERE id = ?1", id);
//   });
//
// The value is never in the cache before the commit. After it the key is invalidated; so of two writers that overlap
// neither can leave the older value. A writer that knows the new row and its version may answer both:
//
//   auto put = seawall::update(products, 7, db, [&](sql::transaction& t, int id) -> result<sql::versioned<product>> {
//     ...                                          // UPDATE ... SET version = version + 1 ... RETURNING *
//     return sql::versioned<product>{row, row.version};
//   });
//
// Then the value is put after the commit, unless the cache has one that is newer: see transaction::publishes.
#pragma once

#include "seawall/source/sql_database.hpp"

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace seawall {

namespace sql {

/// A row's value, and its version: a number that grows with each commit that changes the row; > 0.
template <class V>
struct versioned {
  V value;
  std::uint64_t version = 0;
  entry_options entry{};  ///< Its tags and times; what is unset is the cache's.
};

namespace detail {
template <class T>
inline constexpr bool is_versioned = false;
template <class V>
inline constexpr bool is_versioned<result<versioned<V>>> = true;
}  // namespace detail

}  // namespace sql

/// Runs `write(sql::transaction&, const key_type&)`, which returns a result, in a transaction; commits; invalidates the
/// key, or puts the value if it answered one with a version. An error, or an exception, rolls back and leaves the cache
/// alone. The answer is that of `write`, or why it was not committed: a cache that fails never fails the write.
/// Blocks. Thread safety: as database::transact.
template <class Cache, class Write>
auto update(Cache& cache, typename Cache::key_type key, sql::database& db, Write&& write,
            const sql::transact_options& how = {})
    -> std::invoke_result_t<Write&, sql::transaction&, const typename Cache::key_type&> {
  using answer = std::invoke_result_t<Write&, sql::transaction&, const typename Cache::key_type&>;
  return db.transact(
      [&](sql::transaction& t) -> answer {
        answer done = write(t, std::as_const(key));
        if (!done) return done;
        if constexpr (sql::detail::is_versioned<answer>) {
          t.publishes(cache, key, done->value, done->version, done->entry);
        } else {
          t.invalidates(cache, key);
        }
        return done;
      },
      how);
}

template <class Cache, class Write>
auto update(Cache& cache, typename Cache::key_type key, const std::shared_ptr<sql::database>& db, Write&& write,
            const sql::transact_options& how = {}) {
  return update(cache, std::move(key), *db, write, how);
}

}  // namespace seawall
