// cluster_scan: SCAN over all primaries of a cluster.
#pragma once

#include "cluster_slot_map.hpp"
#include "seawall/resp/command_bytes.hpp"
#include "services.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace seawall::redis {

/// What a cursor of the cluster says, so that nobody has to remember anything between two steps: which primary (by its
/// first slot), where in it, and which primaries there were when the walk began. As a number: 8, 14 and 40 bits.
struct scan_place {
  static constexpr int cursor_bits = 40;

  std::uint8_t primaries = 0;
  slot_number slot = 0;
  std::uint64_t cursor = 0;

  static std::optional<scan_place> read(std::string_view text);
  std::uint64_t number() const noexcept;
  friend bool operator==(const scan_place&, const scan_place&) = default;
};

/// A short hash of the primaries and their first slots.
std::uint8_t primaries_print(const slot_map& map);
/// Where a walk goes on after the primary whose first slot is `slot`; nothing: it is through.
std::optional<slot_number> next_primary(const slot_map& map, slot_number slot);
/// The first slot that anybody serves.
slot_number first_primary(const slot_map& map);

/// One step, as a request of its own. A key that is there during the whole walk and does not change its slot's owner
/// comes at least once. When a primary came, went or was replaced, the walk ends with errc::moved: a cursor means
/// nothing to another server. Thread safety: none.
class cluster_scan final : public holder {
 public:
  /// `done` destroys this object; called when the whole has ended, or was let go.
  cluster_scan(request& whole, const slot_map& map, ender& ends, std::function<void(cluster_scan&)> done);
  ~cluster_scan() override;

  /// Sends the step by `send`, unless the cursor is wrong. May destroy this object.
  void run(const std::function<void(request&)>& send);

  bool forget(request& asked) override;

 private:
  class step;

  void fail(const error& why);
  void replied(resp::view reply);
  void ended(const error* failure);

  request& whole_;
  const slot_map& map_;
  ender& ends_;
  std::function<void(cluster_scan&)> done_;
  std::unique_ptr<step> step_;
  scan_place place_;
  std::string reply_;
  std::optional<error> failure_;
};

}  // namespace seawall::redis
