// cluster_scatter: one request that goes to several slots, or servers, as several requests, whose replies become one.
#pragma once

#include "seawall/redis/cluster_slot.hpp"
#include "seawall/resp/command_bytes.hpp"
#include "services.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::redis {

/// How the replies become one.
enum class merging : std::uint8_t {
  elements,  ///< The elements of arrays, each at the place of its key (MGET).
  sum,       ///< The sum of integers (DEL, DBSIZE).
  same,      ///< All replied the same: the first (MSET, FLUSHALL).
  chain,     ///< The elements of arrays one behind the other (KEYS).
};

/// Whether the command has this name, given in upper case.
bool is_command(const request& asked, std::string_view upper);

/// For a command without keys that is meant for all primaries; nothing if one of them can answer.
std::optional<merging> merging_over_primaries(const request& asked);

/// The parts are sent at once and independently: together they are not atomic. Each is redirected and repeated on its
/// own, until the deadline of the whole. When one fails, the whole does, after all have ended; the message says what
/// became of the others. Thread safety: none.
class cluster_scatter final : public holder {
 public:
  /// `done` destroys this object; called when the whole has ended, or was let go.
  cluster_scatter(request& whole, merging how, ender& ends, std::function<void(cluster_scatter&)> done);
  ~cluster_scatter() override;

  /// One part for each slot of the whole's keys. Requires: its traits say where the keys are.
  void split_by_slot();
  /// The whole command once more for each of `count` servers.
  void copy(std::size_t count);

  /// Sends the parts: `send` gets each with its number. May destroy this object.
  void run(const std::function<void(request&, std::size_t)>& send);

  bool forget(request& asked) override;

 private:
  class part;

  void one_ended();
  void finish();
  const part* first_failed() const;
  void fail_with(const part& failed);
  std::string fate() const;
  bool merge(std::string& into) const;

  request& whole_;
  const merging how_;
  ender& ends_;
  std::function<void(cluster_scatter&)> done_;
  std::vector<std::unique_ptr<part>> parts_;
  std::size_t left_ = 0;
};

}  // namespace seawall::redis
