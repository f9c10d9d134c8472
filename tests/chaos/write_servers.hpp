// write_servers: the Redis that has the log of a write-behind, and is killed.
#pragma once

#include "dice.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace chaos {

/// Everything throws std::runtime_error. Thread safety: none.
class write_servers {
 public:
  virtual ~write_servers() = default;

  virtual std::string url() const = 0;
  /// SIGKILL of one of them; says of which.
  virtual std::string kill(dice& chance) = 0;
  /// All serve again.
  virtual void revive() = 0;
  /// What an acknowledged write relies on, for the summary.
  virtual std::string_view keeps() const = 0;
};

/// One server that has everything on its disk before it answers; or, to see that it is noticed, nothing.
std::unique_ptr<write_servers> make_appending_server(bool appends);
/// A primary, a replica and three sentinels, and nothing on a disk.
std::unique_ptr<write_servers> make_replicated_servers();

}  // namespace chaos
