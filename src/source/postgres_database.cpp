#include "postgres_database.hpp"

#include <utility>

namespace seawall::postgres {

postgres_database::postgres_database(std::shared_ptr<settings> how)
    : how_(how), pool_(std::make_shared<pool>(std::move(how))) {}

// A query may write, too (RETURNING): then it is run as what it is.
result<sql::rows> postgres_database::run(std::string_view statement, std::span<const sql::value> given,
                                         sql::access how) {
  if (how == sql::access::write || !only_reads(statement)) {
    return sql::database::run(statement, given, sql::access::write);
  }
  auto taken = pool_->take(sql::access::read);
  if (!taken) return std::unexpected(std::move(taken).error());
  const lease held{*this, **taken, sql::access::read};
  return (*taken)->run_alone(statement, given, sql::access::read);
}

result<sql::connection*> postgres_database::take(sql::access how) { return pool_->take(how); }

void postgres_database::give_back(sql::connection& which, sql::access how) noexcept {
  pool_->give_back(static_cast<postgres_connection&>(which), how);
}

result<void> postgres_database::try_out() {
  auto taken = pool_->take(sql::access::write);
  if (!taken) return std::unexpected(std::move(taken).error());
  const lease held{*this, **taken, sql::access::write};
  return (*taken)->try_out();
}

result<std::shared_ptr<database>> open(const options& how) {
  auto ready = settings_of(how);
  if (!ready) return std::unexpected(std::move(ready).error());
  auto made = std::make_shared<postgres_database>(*std::move(ready));
  if (!how.lazy) {
    if (auto tried = made->try_out(); !tried) return std::unexpected(std::move(tried).error());
  }
  return made;
}

}  // namespace seawall::postgres
