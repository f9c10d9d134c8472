// What PostgreSQL and libpq say, as errors of the module.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/source/sql_error.hpp"

#include <libpq-fe.h>

#include <string>
#include <string_view>

namespace seawall::postgres {

/// An error of the server about a statement. `where` names database and host.
error problem_of(const PGresult* answer, std::string_view statement, std::string_view where);

/// Why a connection was not made, with a way out.
error connect_problem(std::string_view said, std::string_view where);

/// Nobody knows what became of what was sent: the connection was lost, or given up.
error lost_problem(sql::errc code, std::string_view said, std::string_view statement, std::string_view where);
/// Whether the server says that a prepared statement is no longer what it was, or not there: it has not been run.
bool prepared_in_vain(const PGresult* answer);

}  // namespace seawall::postgres
