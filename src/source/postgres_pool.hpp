// Who has which connection of a PostgreSQL database, and who is next.
#pragma once

#include "postgres_connection.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace seawall::postgres {

/// Someone who waits for a connection; threads and asynchronous operations stand in one line.
struct ticket {
  sql::access how = sql::access::read;
  postgres_connection* got = nullptr;  ///< Guarded by the pool's mutex.
  std::function<void()> ready{};       ///< Called under the pool's mutex when `got` is there: only wakes.
};

/// Thread safety: all members may be called from any thread. Nothing waits while the mutex is held.
class pool {
 public:
  explicit pool(std::shared_ptr<settings> how);

  /// For a thread: waits for at most pool_timeout. One that has a connection for writes gets no second one.
  result<postgres_connection*> take(sql::access how);
  /// For others: the connection, or a place in the line (null), or an error if that is full.
  result<postgres_connection*> enter(ticket& who);
  /// Leaves the line. False: it is not in it any more, since `got` is there.
  bool leave(ticket& who);
  void give_back(postgres_connection& which, sql::access how) noexcept;

  error late(sql::access how) const;
  connection_stats stats() const;

 private:
  struct group {
    std::size_t limit = 0;
    std::vector<std::unique_ptr<postgres_connection>> all;
    std::vector<postgres_connection*> idle;  // the last one given back is the next one taken
    std::list<ticket*> line;
  };
  struct owner {
    postgres_connection* which;
    std::thread::id thread;
  };

  group& of(sql::access how) noexcept { return groups_[how == sql::access::write ? 1 : 0]; }
  postgres_connection* free_one(group& from);

  const std::shared_ptr<settings> how_;
  mutable std::mutex mutex_;
  std::array<group, 2> groups_;  // guarded by mutex_
  std::vector<owner> owners_;    // guarded by mutex_: threads that write
};

}  // namespace seawall::postgres
