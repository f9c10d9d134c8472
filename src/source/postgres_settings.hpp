// What the connections of one PostgreSQL database share: their options, where they go, and whether it is there.
#pragma once

#include "postgres_problem.hpp"
#include "seawall/source/postgres.hpp"

#include <libpq-fe.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::postgres {

/// Attempts to connect that fail, so that not each call makes one of its own.
/// Thread safety: all members may be called from any thread.
class outage {
 public:
  /// Why no attempt is to be made now, if it is so.
  std::optional<error> why_not() const;
  void began(const error& why);
  void ended();

 private:
  mutable std::mutex mutex_;
  std::optional<error> why_;            // guarded by mutex_
  duration pause_{};                    // guarded by mutex_
  time_point until_ = time_point::min();  // guarded by mutex_
};

struct settings {
  options how;
  std::vector<std::string> keywords;
  std::vector<std::string> values;
  std::string where;  ///< "database shop at 127.0.0.1:5432"
  outage away;
  std::atomic<std::uint64_t> made{0};
  std::atomic<std::uint64_t> prepared{0};
};

/// Checks the options and takes the url apart. `of_servers`: target_session_attrs, unless the url has it.
result<std::shared_ptr<settings>> settings_of(const options& how, std::string_view of_servers = "primary");

struct conn_closer {
  void operator()(PGconn* what) const noexcept { PQfinish(what); }
};
using conn_ptr = std::unique_ptr<PGconn, conn_closer>;

/// A connection that begins to connect, for PQconnectPoll; null without memory. `replicates`: for START_REPLICATION.
conn_ptr begin_connect(const settings& how, bool replicates = false);

}  // namespace seawall::postgres
