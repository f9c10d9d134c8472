// canary: whether the feed of a connection tells of changes. A key is read over it and then changed; once a sign of
// life that was asked for after that is answered, the news has come before, or never will. A machine: no I/O, no clock.
#pragma once

#include "seawall/base/clock.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace seawall::tier {

inline constexpr std::string_view canary_key_start = "seawall:canary:";

/// Thread safety: none, its owner guards it.
class canary {
 public:
  /// How long news may come behind a reply: zero where both come in order.
  explicit canary(duration lag) : lag_(lag) {}

  /// A test begins with this key.
  void begin(std::string key) {
    *this = canary{lag_};
    key_ = std::move(key);
  }
  /// The key was read over the connection: the next change of it is to be told.
  void read(std::uint64_t generation) noexcept {
    generation_ = generation;
    told_.reset();
  }
  /// It is about to be changed.
  void change(time_point now) noexcept { begun_ = now; }
  /// The server has changed it.
  void changed(time_point now) noexcept { changed_ = now; }
  void give_up() noexcept { generation_ = 0; }

  /// The feed told of a key's change.
  void heard(std::string_view key, time_point now) noexcept {
    if (key == key_ && !told_) told_ = now;
  }

  struct verdict {
    bool told = false;
    duration after{};  ///< From the change to the news of it.
  };
  /// The server answered a sign of life over the connection. Nothing: no test is under way there, or it is too early.
  std::optional<verdict> beat(std::uint64_t generation, time_point sent) noexcept {
    if (generation == 0 || generation != generation_ || !changed_) return std::nullopt;
    if (!told_ && sent < seawall::after(*changed_, lag_)) return std::nullopt;
    generation_ = 0;
    if (!told_) return verdict{};
    return verdict{.told = true, .after = std::max(*told_ - begun_, duration::zero())};
  }

 private:
  duration lag_;
  std::string key_;
  std::uint64_t generation_ = 0;  // 0: no test is under way
  time_point begun_{};
  std::optional<time_point> changed_;
  std::optional<time_point> told_;
};

}  // namespace seawall::tier
