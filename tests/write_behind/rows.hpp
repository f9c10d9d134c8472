// rows: the database of a write-behind that is killed: the last state of each key, and the history of all effects.
#pragma once

#include "seawall/sql.hpp"
#include "seawall/write_behind.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace kills {

using seawall::result;
using operation = seawall::write_operation<int, std::int64_t>;

/// `where`: the URL of a PostgreSQL ("postgres://..."), or the file of an SQLite.
bool is_server(const std::string& where);
result<std::shared_ptr<seawall::sql::database>> open_rows(const std::string& where);
result<void> make_tables(seawall::sql::database& db);
/// One transaction: each operation that is newer than what its row has takes effect, and is noted.
result<void> apply(seawall::sql::database& db, std::span<const operation> batch);

}  // namespace kills
