// PostgreSQL, over libpq, as a database of the module source.
//
//   auto db = seawall::postgres::open({.url = "postgres://shop:secret@db.example/shop?sslmode=verify-full"});
//   auto cheap = (*db)->query<product>("SELECT id, name, price, note FROM products WHERE price < $1", 100);
//   auto some = products.get_many(ids, sql::rows_by<product>(*db, "SELECT id, name, price, note FROM products "
//                                                                 "WHERE id = ANY($1)", &product::id));
//
// What is sent: a statement is prepared once per connection, and the server says which types its parameters have. A
// number, a text or a list is sent in their text form, so it may become any type that reads it ("12" an int2 or a
// numeric); bytes and texts for a bytea go as they are. A text cannot hold a byte 0: PostgreSQL has no such text.
// What comes back: bool and int2, int4, int8, oid as integers, float4 and float8 as reals, bytea as bytes; all other
// types as the text that psql shows (numeric, timestamptz, uuid, json, arrays).
//
// A connection that died while it was idle is replaced before anything is sent. One that dies later is not: see
// sql::errc::unreachable and outcome_unknown. After a failed attempt to connect, others fail at once for 50 ms, twice
// as long each time, 2 s at most, then it is tried again.
// Each connection keeps its session: what SET, LISTEN or temporary tables change there, later statements meet.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/source/sql_database.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace seawall::postgres {

struct options {
  /// What libpq takes: "postgres://user:password@host:port/database?sslmode=verify-full", several hosts, a list of
  /// "key=value". What is not in it comes from libpq's environment (PGHOST, PGPASSFILE, ...). TLS is as libpq has it:
  /// without sslmode it is "prefer", which neither insists on TLS nor checks the server; use verify-full elsewhere
  /// than on loopback. No message of Seawall has the password in it.
  /// Only a primary is talked to: a standby may be behind, and what is read there is cached. Of several hosts the first
  /// that is one; "target_session_attrs=any" (or what else libpq has) in the url is for who wants otherwise.
  /// A host name is looked up by the calling thread, without a limit: with `hostaddr` nothing is looked up.
  std::string url{};
  std::size_t writers = 4;  ///< Connections for transactions and statements that write, opened as needed; 1 to 1,000.
  std::size_t readers = 4;  ///< The same for queries.
  std::size_t max_waiting = 1'000;  ///< Calls that wait for a connection; one more fails at once.
  duration pool_timeout = std::chrono::seconds{5};        ///< How long to wait for a connection that is in use.
  duration connect_timeout = std::chrono::seconds{5};     ///< For making a connection. Milliseconds, at least 1.
  /// For each statement; at least 1 ms. The server ends it by itself (its statement_timeout is set to this), and if it
  /// does not, as a hung one, the connection is closed a quarter later, 1 s at most: errc::timed_out.
  duration statement_timeout = std::chrono::seconds{30};
  std::string application_name = "seawall";  ///< In pg_stat_activity and the server's log, unless the url says another.
  std::size_t cached_statements = 256;       ///< Prepared ones that each connection keeps; 1 to 10,000.
  std::size_t max_rows = 1'000'000;          ///< Of one answer; more are an error.
  bool lazy = false;                         ///< Does not try a connection in `open`.
};

/// Of a database's connections, at the moment, and since it was opened.
struct connection_stats {
  std::size_t in_use = 0;
  std::size_t waiting = 0;      ///< Calls that wait for one.
  std::uint64_t made = 0;       ///< Connections that were opened, replaced ones among them.
  std::uint64_t prepared = 0;   ///< Statements that were prepared.
};

namespace detail {
struct order;  // of an asynchronous statement: postgres_async.hpp
struct starter;
}  // namespace detail

/// A database that statements can be run on asynchronously, too: see postgres_async.hpp.
class database : public sql::database {
 public:
  sql::dialect dialect() const noexcept final { return sql::dialect::postgresql; }
  virtual connection_stats stats() const = 0;

 private:
  friend struct detail::starter;
  virtual void start(detail::order&& what) = 0;
};

/// Checks the options (errc::invalid_argument), and makes one connection unless `lazy`: sql::errc::unreachable says
/// where to and why not (refused, password, database, too many connections).
result<std::shared_ptr<database>> open(const options& how);

}  // namespace seawall::postgres
