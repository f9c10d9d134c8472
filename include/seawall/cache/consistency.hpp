// consistency: what a read of a cache may answer with.
#pragma once

#include <cstdint>

namespace seawall {

/// For one call: `{.consistency = seawall::consistency::at_least(order.version)}`.
class consistency {
 public:
  /// With a shared tier: what was right within the tier's bound (1 s by default, usually microseconds), from this
  /// process if it is there. A cache of one process is always `fresh`.
  static const consistency any;
  /// What is right now: linearizable over all processes. At least one round trip.
  static const consistency fresh;

  /// `any`, and nothing older than this version of the row: what is cached with a lower one, or with none, is passed
  /// over, in both tiers. So is a load of somebody else's. A value that this very call loads counts if its loader names
  /// no version; with a lower one the call fails with errc::too_old, and the value is not stored. A loader that may
  /// read a replica finds the number in load_context::at_least. 0: the same as `any`.
  static constexpr consistency at_least(std::uint64_t version) noexcept { return {false, version}; }

  constexpr consistency() noexcept = default;
  constexpr bool is_fresh() const noexcept { return fresh_; }
  constexpr std::uint64_t version() const noexcept { return version_; }

  friend constexpr bool operator==(const consistency&, const consistency&) = default;

 private:
  constexpr consistency(bool is_fresh, std::uint64_t version) noexcept : fresh_(is_fresh), version_(version) {}

  bool fresh_ = false;
  std::uint64_t version_ = 0;
};

inline constexpr consistency consistency::any{};
inline constexpr consistency consistency::fresh{true, 0};

}  // namespace seawall
