// The statements of the table seawall_outbox, in each dialect.
#pragma once

#include "seawall/source/sql_connection.hpp"

#include <string>
#include <string_view>

namespace seawall::sql {

struct outbox_words {
  std::string create;
  std::string insert;    ///< Arguments: cache, kind, item.
  std::string claim;     ///< A limit, names of caches. Answers id, cache, kind, item, attempts: the oldest due.
  std::string remove;    ///< A list of ids.
  std::string postpone;  ///< A list of ids, milliseconds.
  /// Names of caches. Answers rows, those that failed before, milliseconds since the oldest; of these, those of other
  /// caches, and milliseconds since the oldest of them.
  std::string lag;
  bool locks_rows;       ///< What is claimed nobody else gets until the transaction ends.
};

const outbox_words& words_of(dialect which);

result<void> insert_outbox_row(statements& on, dialect which, const std::string& cache, std::string_view kind,
                               std::string_view item);

}  // namespace seawall::sql
