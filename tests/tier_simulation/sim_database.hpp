// sim_tables: the versioned rows of the simulation and its table seawall_outbox. sim_database: what one process has of
// them, as seawall::sql sees a database.
//
// Between all steps of a transaction the world goes on. A row that was changed belongs to its transaction until that
// ends; who wants it meanwhile gets errc::conflict. Connections are lost, also during a commit, which then does not
// take place, or has, or will, while the client is told that nobody knows.
#pragma once

#include "chance.hpp"
#include "seawall/source/sql_database.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulation {

inline constexpr int row_count = 2;
/// Of each row. 0: not of that one.
using versions = std::array<int, row_count>;

struct outbox_row {
  std::int64_t id = 0;
  std::string cache{};
  std::string kind{};
  std::string item{};
  versions made{};  // by its transaction, of the rows that it stands for
  std::int64_t attempts = 0;
  seawall::time_point not_before{};
  std::uint64_t held_by = 0;  // the transaction that has claimed it
};

struct sim_transaction {
  struct state {
    versions made{};
    std::vector<outbox_row> rows;
  };
  std::uint64_t id = 0;  // 0: none is open
  state now{};
  std::vector<state> savepoints{};
  std::vector<std::int64_t> removed{};
  std::vector<std::pair<std::int64_t, seawall::time_point>> postponed{};
};

class sim_tables {
 public:
  /// What became of a transaction that has changed a row. One that was rolled back leaves nothing.
  struct outcome {
    versions made{};
    bool committed = false;
    bool late = false;
  };

  versions committed{};
  std::vector<outbox_row> outbox;
  std::vector<sim_transaction> late;  // on their way, and nobody waits for them
  std::map<std::uint64_t, outcome> outcomes;
  std::array<std::uint64_t, row_count> held_by{};
  std::uint64_t transactions = 0;
  std::int64_t outbox_ids = 0;
  bool quiet = false;  // nothing breaks any more
  tally seen;

  /// The versions of a transaction that one of its outbox rows stands for.
  std::function<versions(const outbox_row&, const versions&)> share_of;
  std::function<void(const outbox_row&)> on_removed;
  std::function<void(const std::string&)> on_violation;

  bool is_free(int row) const noexcept { return held_by[static_cast<std::size_t>(row)] == 0; }
  void insert(outbox_row what);
  void remove(std::int64_t id);
  void commit(sim_transaction& what);
  void roll_back(sim_transaction& what);

 private:
  void release(std::uint64_t id);
};

/// Asks for the next version of a row. Argument: the row. Answers the version, and the number of the transaction.
inline constexpr std::string_view raise_version = "raise";

class sim_database final : public seawall::sql::database {
 public:
  /// `meanwhile` lets the world go on.
  sim_database(chance& draws, sim_tables& tables, const seawall::time_point& now, seawall::sql::dialect spoken,
               std::function<void()> meanwhile)
      : draws_(draws), tables_(tables), now_(now), spoken_(spoken), meanwhile_(std::move(meanwhile)) {}
  ~sim_database() override;

  seawall::sql::dialect dialect() const noexcept override { return spoken_; }

  /// The process ends: what it has not committed is rolled back, what it commits just now may take place.
  void kill();

 protected:
  seawall::result<seawall::sql::connection*> take(seawall::sql::access how) override;
  void give_back(seawall::sql::connection& which, seawall::sql::access how) noexcept override;

 private:
  class talk;

  chance& draws_;
  sim_tables& tables_;
  const seawall::time_point& now_;
  const seawall::sql::dialect spoken_;
  const std::function<void()> meanwhile_;
  std::vector<talk*> talks_;
  bool dead_ = false;
};

}  // namespace simulation
