// The two classes that stand for a database: a connection, and the ways of asking that a database and a transaction
// have in common. What they need of a new kind of database: see sql_database.hpp.
#pragma once

#include "seawall/source/sql_rows.hpp"

#include <concepts>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::sql {

/// Which kind of SQL is spoken, where Seawall writes statements of its own. Placeholders in a program's statements are
/// always the database's: ?1 with SQLite, $1 with PostgreSQL.
enum class dialect { sqlite, postgresql };

/// Whether a statement may change anything.
enum class access { read, write };

/// One conversation with a database. One thread at a time; nothing of it throws but std::bad_alloc.
class connection {
 public:
  virtual ~connection() = default;

  /// Runs one statement to its end. Within a transaction that the database has given up it fails.
  virtual result<rows> run(std::string_view statement, std::span<const value> given) = 0;

  /// Begins a transaction that may write.
  virtual result<void> begin() = 0;
  /// On failure the transaction did not take place and is to be rolled back; with errc::outcome_unknown it may have.
  virtual result<void> commit() = 0;
  /// Ends the transaction, if one is open, without a trace.
  virtual void rollback() noexcept = 0;

  /// Outside a transaction: see database::tables_of. Of a database that does not say it: an error.
  virtual result<std::vector<std::string>> tables_of(std::string_view statement);
};

/// Asking: what a database and a transaction share. All errors name the statement.
class statements {
 public:
  virtual ~statements() = default;

  virtual result<rows> run(std::string_view statement, std::span<const value> given, access how) = 0;

  /// All rows, each as a T: see sql_rows.hpp for what T may be, sql_value.hpp for arguments.
  template <class T, class... Args>
  result<std::vector<T>> query(std::string_view statement, const Args&... args) {
    return query_with(statement, [](const row_view& row) { return row.as<T>(); }, args...);
  }

  /// The same with a mapper of your own: `(const sql::row_view&)` to T or result<T>.
  template <class Mapper, class... Args>
    requires std::invocable<Mapper&, const row_view&>
  auto query_with(std::string_view statement, Mapper&& mapper, const Args&... args) {
    return mapped(statement, mapper, arguments_of(args...));
  }

  /// The only row, or nothing; several are an error (errc::mapping).
  template <class T, class... Args>
  result<std::optional<T>> query_one(std::string_view statement, const Args&... args) {
    auto all = query<T>(statement, args...);
    if (!all) return std::unexpected(std::move(all).error());
    if (all->size() > 1) return std::unexpected(too_many(statement, all->size()));
    if (all->empty()) return std::optional<T>{};
    return std::optional<T>{std::move(all->front())};
  }

  /// Runs a statement that changes something.
  template <class... Args>
  result<changes> execute(std::string_view statement, const Args&... args) {
    auto done = run_with(statement, arguments_of(args...), access::write);
    if (!done) return std::unexpected(std::move(done).error());
    return done->changed;
  }

  /// The rows as they came.
  result<rows> run_with(std::string_view statement, const arguments& given, access how);

  /// `query_with` for arguments that are made already.
  template <class Mapper>
  auto mapped(std::string_view statement, Mapper& mapper, const arguments& given);

 protected:
  static error too_many(std::string_view statement, std::size_t found);
};

namespace detail {

template <class T>
struct mapped_type {
  using type = T;
};
template <class T>
struct mapped_type<result<T>> {
  using type = T;
};

}  // namespace detail

/// Each row of an answer as `mapper` has it: all, or the first error, which may be what the mapper throws.
template <class Mapper>
auto mapped_rows(const result<rows>& found, Mapper& mapper) {
  using answer = std::remove_cvref_t<std::invoke_result_t<Mapper&, const row_view&>>;
  using T = typename detail::mapped_type<answer>::type;
  using all = result<std::vector<T>>;
  if (!found) return all(std::unexpected(found.error()));
  std::vector<T> made;
  made.reserve(found->size());
  try {
    for (std::size_t i = 0; i != found->size(); ++i) {
      answer one = mapper((*found)[i]);
      if constexpr (std::same_as<answer, T>) {
        made.push_back(std::move(one));
      } else {
        if (!one) return all(std::unexpected(std::move(one).error()));
        made.push_back(*std::move(one));
      }
    }
  } catch (...) {  // the mapper's
    return all(std::unexpected(seawall::detail::current_failure()));
  }
  return all(std::move(made));
}

template <class Mapper>
auto statements::mapped(std::string_view statement, Mapper& mapper, const arguments& given) {
  return mapped_rows(run_with(statement, given, access::read), mapper);
}

}  // namespace seawall::sql
