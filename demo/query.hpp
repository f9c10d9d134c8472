// What the shop asks of its database, whichever it is: prepared queries over one connection, read in one snapshot, and
// writes in one transaction. Queries are written as SQLite reads them; an implementation translates the rest.
// A connection and its queries belong to one thread. Errors are exceptions whose text is for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace seawall::demo {

/// One query, as its kind of database runs it.
class query_engine {
 public:
  virtual ~query_engine() = default;
  virtual void bind(int index, std::int64_t value) = 0;
  virtual bool step() = 0;
  virtual void reset() noexcept = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
};

/// A prepared query. Parameters are numbered from 1, columns from 0.
class query {
 public:
  query() = default;
  explicit query(std::unique_ptr<query_engine> engine) : engine_(std::move(engine)) {}

  query& bind(int index, std::int64_t value) {
    engine_->bind(index, value);
    return *this;
  }
  /// The next row: false when there is none.
  bool step() { return engine_->step(); }
  /// Ready for the next execution; parameters keep their values.
  void reset() noexcept { engine_->reset(); }
  std::int64_t integer(int column) const { return engine_->integer(column); }
  /// Valid until the next `step` or `reset`.
  std::string_view text(int column) const { return engine_->text(column); }

 private:
  std::unique_ptr<query_engine> engine_;
};

/// Resets a query at the end of a scope, whatever happened in it.
class query_guard {
 public:
  explicit query_guard(query& q) noexcept : query_(q) {}
  ~query_guard() { query_.reset(); }
  query_guard(const query_guard&) = delete;
  query_guard& operator=(const query_guard&) = delete;

 private:
  query& query_;
};

class shop_connection {
 public:
  virtual ~shop_connection() = default;
  virtual query prepare(std::string_view sql) = 0;
  /// What is read until `end_read` is at least as new as what was read before it; with SQLite it is one snapshot.
  virtual void begin_read() = 0;
  virtual void end_read() = 0;
  /// Ends a read that has failed.
  virtual void abandon_read() noexcept = 0;
  /// Runs `statements` in a transaction and commits; rolls back when they throw. They may be run again, from the
  /// beginning, if another transaction was in the way.
  virtual void write(const std::function<void()>& statements) = 0;
  /// The database has one writer at a time: the others are better kept waiting in the program.
  virtual bool one_writer() const noexcept = 0;
  /// Brings the database's files into a state from which the next phase can start.
  virtual void tidy() {}
};

/// The database that the sessions of one process connect to.
class shop_place {
 public:
  virtual ~shop_place() = default;
  /// What it hands out must not outlive it.
  virtual std::unique_ptr<shop_connection> connect() = 0;
};

/// `database`: the path of an SQLite file with a shop, or the URL of a PostgreSQL whose search_path has one.
/// `clients`: how many connections may be in use at a time. Nothing connects yet.
std::unique_ptr<shop_place> shop_place_at(const std::string& database, std::size_t clients);

/// Whether a --database is the URL of a PostgreSQL.
inline bool is_postgres(std::string_view database) {
  return database.starts_with("postgres://") || database.starts_with("postgresql://");
}

/// The place of a shop in a PostgreSQL. Throws std::runtime_error for a URL that cannot be one.
std::unique_ptr<shop_place> postgres_shop_place(const std::string& url, std::size_t clients);

}  // namespace seawall::demo
