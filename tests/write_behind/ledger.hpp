// ledger: what processes have acknowledged before they were killed, held against what their database has.
#pragma once

#include "seawall/sql.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kills {

struct findings {
  std::size_t lost = 0;       ///< Keys that have less than was acknowledged.
  std::size_t reordered = 0;  ///< Effects that came after those of a later operation of their key.
  std::size_t repeated = 0;   ///< Effects that came twice.
  std::vector<std::string> examples = {};  ///< In words.

  bool none() const noexcept { return lost + reordered + repeated == 0; }
};

class ledger {
 public:
  /// A line that the victim has printed; see victim.cpp.
  void note(const std::string& line);
  /// Once all is applied. Throws std::runtime_error if the database does not answer.
  findings check(seawall::sql::database& db);
  /// The whole history once more, at the next check.
  void from_the_beginning() { effects_.clear(), read_to_ = 0; }

  std::uint64_t acknowledged() const noexcept { return count_; }
  std::size_t keys() const noexcept { return last_.size(); }

 private:
  struct effect {
    std::int64_t version = 0;
    std::int64_t number = 0;  // of the operation; of one that removes, at least
  };

  void read_history(seawall::sql::database& db, findings& found);

  std::uint64_t count_ = 0;
  std::map<int, effect> last_;     // the last that was acknowledged of each key
  std::map<int, effect> effects_;  // the last of each key
  std::int64_t read_to_ = 0;       // the history, by its numbers
};

}  // namespace kills
