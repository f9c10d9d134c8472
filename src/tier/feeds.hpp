// feeds: what a tier knows of its server, for each connection that tells of changes (a tracking generation): which
// reign it serves, how far its clock is ahead, and the proof of what is read over it. A machine: no I/O, no clock.
//
// Nothing that comes over a connection is trusted before a beat over it was answered (see beat_script): until then the
// server may be one that lost what it had promised.
#pragma once

#include "proofs.hpp"
#include "seawall/base/clock.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace seawall::tier {

/// What a read needs of the connection that its answer came over.
struct footing {
  std::uint64_t reign = 0;
  std::int64_t ahead_ms = 0;            ///< The server's clock (milliseconds since 1970) minus ours.
  const tier_proof* proof = nullptr;    ///< None: the connection tells of no changes.
};

/// Thread safety: none, its owner guards it.
class feeds {
 public:
  explicit feeds(duration bound) : bound_(bound) {}

  /// A connection tells of changes from now on. True: all caches are to drop everything first.
  [[nodiscard]] bool announce(std::uint64_t generation) {
    lose(generation);
    const auto [proof, tell_all] = proofs_.take();
    feeds_.push_back({.generation = generation, .proof = proof});
    return tell_all;
  }

  /// The connection is gone.
  void lose(std::uint64_t generation) {
    std::erase_if(feeds_, [&](const feed& one) {
      if (one.generation != generation) return false;
      proofs_.end(one.proof);
      return true;
    });
  }

  /// What was read over the connection is uncertain, and so is the reign of its server, or whether it is a primary. As
  /// `announce`.
  [[nodiscard]] bool doubt(std::uint64_t generation) {
    feed* const one = find(generation);
    if (!one) return false;
    one->verified = false;
    return prove_anew(*one);
  }

  /// The connection answers and does not tell of changes: nothing that is read over it is proved until it is heard.
  void mute(std::uint64_t generation) {
    feed* const one = find(generation);
    if (!one || std::exchange(one->mute, true)) return;
    proofs_.end(std::exchange(one->proof, nullptr));
  }
  /// As `announce`.
  [[nodiscard]] bool unmute(std::uint64_t generation) {
    feed* const one = find(generation);
    if (!one || !std::exchange(one->mute, false)) return false;
    const auto [proof, tell_all] = proofs_.take();
    one->proof = proof;
    return tell_all;
  }
  bool tells(std::uint64_t generation) {
    const feed* const one = find(generation);
    return one && one->proof;
  }
  bool any_mute() const { return std::ranges::any_of(feeds_, &feed::mute); }

  /// The reign of the server may be another one: it is asked for again before anything more is trusted.
  void recheck(std::uint64_t generation) {
    if (feed* const one = find(generation)) one->verified = false;
  }

  /// A beat was answered that was `sent` at that moment. True: all caches are to drop everything before anything that
  /// was read over the connection is handed out: another reign has begun there.
  [[nodiscard]] bool beat(std::uint64_t generation, time_point sent, std::uint64_t reign, std::int64_t ahead_ms) {
    feed* one = find(generation);
    if (!one) one = &feeds_.emplace_back(feed{.generation = generation});
    const bool changed = one->reign && *one->reign != reign;
    bool tell_all = changed;
    if (changed) tell_all |= prove_anew(*one);
    if (last_reign_ && *last_reign_ != reign) ++reign_changes_;
    one->reign = last_reign_ = reign;
    one->ahead_ms = last_ahead_ms_ = ahead_ms;
    one->verified = true;
    one->checked = std::max(one->checked, sent);
    if (one->proof) one->proof->extend(after(sent, bound_));
    return tell_all;
  }

  /// For an answer to what was asked at `asked`; nothing if the connection is not to be trusted.
  std::optional<footing> stand_on(std::uint64_t generation, time_point asked) {
    feed* const one = find(generation);
    if (!one || !one->verified) return std::nullopt;
    if (one->proof) one->proof->extend(after(asked, bound_));
    return footing{.reign = *one->reign, .ahead_ms = one->ahead_ms, .proof = one->proof};
  }

  /// Where what is sent now will presumably be answered; nothing if a beat should go in front.
  std::optional<footing> expected(time_point now) const {
    if (feeds_.empty()) return std::nullopt;
    const feed& one = feeds_.back();
    if (!one.verified || after(one.checked, bound_) <= now) return std::nullopt;
    return footing{.reign = *one.reign, .ahead_ms = one.ahead_ms, .proof = one.proof};
  }

  /// Of the last beat that was answered, ever.
  std::optional<std::uint64_t> last_reign() const noexcept { return last_reign_; }
  std::uint64_t reign_changes() const noexcept { return reign_changes_; }
  /// Of the same.
  std::int64_t ahead_ms() const noexcept { return last_ahead_ms_; }

 private:
  struct feed {
    std::uint64_t generation = 0;
    tier_proof* proof = nullptr;
    bool mute = false;
    bool verified = false;
    std::optional<std::uint64_t> reign{};  // of the last beat
    std::int64_t ahead_ms = 0;
    time_point checked = time_point::min();  // when the last answered beat was sent
  };

  feed* find(std::uint64_t generation) noexcept {
    const auto found = std::ranges::find(feeds_, generation, &feed::generation);
    return found == feeds_.end() ? nullptr : &*found;
  }

  bool prove_anew(feed& one) {
    if (!one.proof) return false;
    proofs_.end(one.proof);
    const auto [proof, tell_all] = proofs_.take();
    one.proof = proof;
    return tell_all;
  }

  const duration bound_;
  proofs proofs_;
  std::vector<feed> feeds_;  // one or two; the newest is the last
  std::optional<std::uint64_t> last_reign_;
  std::int64_t last_ahead_ms_ = 0;
  std::uint64_t reign_changes_ = 0;
};

}  // namespace seawall::tier
