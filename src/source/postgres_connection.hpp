// One connection of a PostgreSQL database, on which a thread waits.
#pragma once

#include "postgres_talk.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::postgres {

class postgres_connection final : public sql::connection {
 public:
  explicit postgres_connection(std::shared_ptr<settings> how) : how_(how), talk_(std::move(how)) {}

  /// A statement by itself.
  result<sql::rows> run_alone(std::string_view statement, std::span<const sql::value> given, sql::access how);
  /// A query by itself, on the very connection of the statement before: none is made for it.
  result<sql::rows> run_behind(std::string_view statement, std::span<const sql::value> given) {
    return drive({.statement = statement, .given = given, .in_transaction = true});
  }
  /// Connects if it is not connected.
  result<void> try_out();

  result<sql::rows> run(std::string_view statement, std::span<const sql::value> given) override;
  result<void> begin() override;
  result<void> commit() override;
  void rollback() noexcept override;
  result<std::vector<std::string>> tables_of(std::string_view statement) override;
  /// The next statement connects.
  void close() noexcept {
    in_transaction_ = false;
    talk_.close();
  }

  /// For the one that has it asynchronously.
  talk& machine() noexcept { return talk_; }

 private:
  result<sql::rows> drive(const request& what);
  result<sql::rows> locked_by(std::string_view statement);
  bool strayed() const noexcept { return talk_.connected() && !talk_.in_transaction(); }

  const std::shared_ptr<settings> how_;
  talk talk_;
  bool in_transaction_ = false;
};

}  // namespace seawall::postgres
