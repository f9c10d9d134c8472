// Values on their way to PostgreSQL and back: functions without a connection.
#pragma once

#include "seawall/source/sql_rows.hpp"

#include <libpq-fe.h>

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::postgres {

struct result_clearer {
  void operator()(PGresult* what) const noexcept { PQclear(what); }
};
using answer_ptr = std::unique_ptr<PGresult, result_clearer>;

/// The arguments of one statement as libpq takes them. It must outlive the call that sends them.
class parameters {
 public:
  /// `types`: those of the statement's parameters, as the server has found them.
  static result<parameters> make(std::span<const sql::value> given, std::span<const Oid> types,
                                 std::string_view statement);

  int count() const noexcept { return static_cast<int>(values_.size()); }
  const char* const* values() const noexcept { return values_.data(); }
  const int* lengths() const noexcept { return lengths_.data(); }
  const int* formats() const noexcept { return formats_.data(); }

 private:
  void add_text(std::string text);
  void add_raw(const char* begin, std::size_t size);

  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  std::deque<std::string> kept_;  // a deque: values_ points into it
};

/// A value in the text form of its type.
sql::value value_of(Oid type, std::string_view text);

/// All rows of an answer in text format; errc::mapping if there are more than `max_rows`.
result<sql::rows> rows_of(const PGresult* answer, std::string_view statement, std::size_t max_rows);

/// A statement that changes nothing, by its words; a function that it calls may all the same.
bool only_reads(std::string_view statement);

}  // namespace seawall::postgres
