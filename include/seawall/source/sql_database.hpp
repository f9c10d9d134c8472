// sql::database: a database and its connections.
//
//   auto db = seawall::sqlite::open("shop.db");           // result<std::shared_ptr<sql::database>>
//   auto cheap = (*db)->query<product>("SELECT id, name, price, note FROM products WHERE price < ?1", 100);
//   auto done = (*db)->execute("UPDATE products SET price = ?2 WHERE id = ?1", 7, 990);
//
// A new kind of database implements sql::connection and the private virtual functions here; loaders, transactions,
// write-through and the outbox work on it at once.
// Thread safety: all members may be called from any thread at once. Calls block their thread: run them in loaders, on
// an executor, or on threads of your own. It must outlive all calls.
#pragma once

#include "seawall/source/sql_transaction.hpp"

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::sql {

class database : public statements {
 public:
  database() = default;
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  virtual sql::dialect dialect() const noexcept = 0;

  /// One statement by itself. Inside a transaction of this thread it is not part of that: ask the transaction.
  result<rows> run(std::string_view statement, std::span<const value> given, access how) override;

  /// The tables that a statement reads, each once, by the names that sql::table_tag takes. The statement is prepared,
  /// and not run. See sql::cached_query for what counts.
  result<std::vector<std::string>> tables_of(std::string_view statement);

  /// Runs `write(sql::transaction&)`, which returns a result, in a transaction, and commits: see sql_transaction.hpp.
  /// The answer is that of `write`, or why it was not committed.
  template <class Write>
  auto transact(Write&& write, const transact_options& how = {}) -> std::invoke_result_t<Write&, transaction&> {
    auto done = attempt(write, how);
    for (unsigned again = 0; again != how.retries && !done && is(done.error(), errc::conflict); ++again) {
      done = attempt(write, how);
    }
    return done;
  }

 protected:
  /// Hands out a connection for one thread, for `give_back` in the end. Waits a limited time for one.
  virtual result<connection*> take(access how) = 0;
  /// May be in a transaction that was neither committed nor rolled back.
  virtual void give_back(connection& which, access how) noexcept = 0;

  /// Gives back what was taken, whatever happens: a connection may throw std::bad_alloc.
  class lease {
   public:
    lease(database& of, connection& which, access how) noexcept : of_(of), which_(which), how_(how) {}
    lease(const lease&) = delete;
    lease& operator=(const lease&) = delete;
    ~lease() { of_.give_back(which_, how_); }

   private:
    database& of_;
    connection& which_;
    const access how_;
  };

 private:
  friend class transaction;

  template <class Write>
  auto attempt(Write& write, const transact_options& how) -> std::invoke_result_t<Write&, transaction&> {
    transaction one{*this, how.outbox};
    if (auto begun = one.begin(); !begun) return std::unexpected(std::move(begun).error());
    auto done = detail::guarded(write, one);
    if (!done) {
      one.roll_back();
      return done;
    }
    if (auto committed = one.commit(); !committed) return std::unexpected(std::move(committed).error());
    return done;
  }

  class publisher;

  bool publishes_here() const noexcept;
  void await_publisher();

  // Held alone from before the commit of whoever puts a value until that is done. Who only invalidates waits for it
  // between its commit and its invalidations: then nobody puts a value any more that was committed before.
  std::shared_mutex publishing_;
  std::atomic<std::thread::id> publisher_{};  // who holds it alone
  bool overtaken_ = false;                    // of its holder: it has written since, in a hook of the cache
};

}  // namespace seawall::sql
