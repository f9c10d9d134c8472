// What can go wrong between a program and its database.
#pragma once

#include "seawall/base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace seawall::sql {

enum class errc {
  failed = 1,       ///< The database refused the statement; the message has its text and the statement.
  constraint,       ///< A constraint of the schema does not hold: unique, foreign key, check, not null.
  locked,           ///< Somebody else held what was needed, longer than the busy timeout or the pool's patience.
  full,             ///< No room: the disk, or a limit of the database.
  read_only,        ///< A write to what can only be read.
  unreachable,      ///< The database cannot be opened or reached; the connection was lost.
  no_database,      ///< The file is there, and is no database, or a damaged one.
  outcome_unknown,  ///< The connection was lost during a commit: it may have taken place, or not.
  mapping,          ///< A row is not what the program expects: column, type, NULL, range, number of rows.
  argument,         ///< An argument cannot be sent: out of the database's range, wrong count.
  misuse,           ///< A call where it cannot work, as a statement of its own inside a transaction of this thread.
  conflict,         ///< Another transaction was in the way (serialization, deadlock): nothing took place; run it again.
};

/// The category of `errc`; its name is "seawall.sql".
const boost::system::error_category& error_category() noexcept;

inline boost::system::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

/// Whether an error is this one.
inline bool is(const error& what, errc code) noexcept { return what.code() == make_error_code(code); }

/// A text on one line and of `most` bytes, for messages. What is longer is cut between characters, and ends in "...".
std::string one_line(std::string_view text, std::size_t most = std::string_view::npos);
/// A statement in a message.
inline std::string shortened(std::string_view statement) { return one_line(statement, 160); }

}  // namespace seawall::sql

template <>
struct boost::system::is_error_code_enum<seawall::sql::errc> : std::true_type {};

namespace seawall::sql {

/// Shorthand for the failing side of a result.
inline std::unexpected<error> fail(errc code, std::string message) {
  return std::unexpected(error{make_error_code(code), std::move(message)});
}

}  // namespace seawall::sql
