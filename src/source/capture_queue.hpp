// The queue of a capture on its server: made and taken from by ordinary statements, on one connection, which holds the
// lock that keeps others away.
#pragma once

#include "capture_steps.hpp"
#include "capture_triggers.hpp"
#include "postgres_connection.hpp"
#include "seawall/source/change_capture.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::postgres {

/// A row of the queue.
struct queued_change {
  std::int64_t id = 0;
  std::string relation;   ///< "schema.table", as it is mapped.
  std::string kind;       ///< I, U, D; T: the table was emptied, or the row cannot be told; C: anything.
  std::string names;      ///< Of the columns, and their types: arrays in text form.
  std::string types;
  std::optional<std::string> before;  ///< Rows in text form.
  std::optional<std::string> after;
};

/// Thread safety: none.
class capture_queue {
 public:
  struct measure {
    std::uint64_t rows = 0;  ///< max_queue + 1: more.
    std::uint64_t bytes = 0;
    duration oldest{};
  };

  capture_queue(std::shared_ptr<settings> how, const capture_options& options)
      : how_(std::move(how)), options_(options), on_(how_) {}

  /// Connects, and takes the lock. sql::errc::locked: another has it.
  result<void> open();
  /// Makes what is missing for these tables, or says in an error how. The number of tables that were given triggers:
  /// for these the queue has a row that says that anything may have changed.
  result<std::uint64_t> set_up(const captured_tables& tables);
  result<void> listen();
  void close() noexcept { on_.close(); }

  /// Removes the rows of `done`, and reads the first others that are not in `known`. An error if the connection is
  /// another than that of `open`.
  result<std::vector<queued_change>> take(const std::vector<std::int64_t>& done,
                                          const std::vector<std::int64_t>& known, std::size_t most);
  result<measure> look();
  /// Empties it, and notes that anything may have changed. sql::errc::locked: a long transaction is in the way.
  result<void> empty();
  /// With its triggers and functions.
  result<void> drop();

  /// As `talk::notified`, and its socket.
  bool notified() { return on_.machine().notified(); }
  int socket() const noexcept { return on_.machine().socket(); }

 private:
  struct missing {
    std::vector<std::string> statements;  // to be run together
    bool triggers = false;
  };

  result<missing> missing_of(const std::string& name, const captured_table& table, bool no_queue);
  result<std::uint64_t> table_of(const std::string& name, const captured_table& table);
  result<void> run_together(const std::vector<std::string>& statements);
  error with_sql(error why, const std::vector<missing>& all) const;
  template <class... Args>
  result<sql::rows> ask(std::string_view statement, const Args&... given);
  template <class T, class... Args>
  result<T> ask_one(std::string_view statement, const Args&... given);

  const std::shared_ptr<settings> how_;
  const capture_options& options_;
  mutable postgres_connection on_;
  queue_names names_;
  std::string user_;
  std::int64_t table_ = 0;         // the queue's oid
  std::uint64_t connection_ = 0;   // the number of that which has the lock
};

}  // namespace seawall::postgres
