// feeds: what a tier knows of its servers, for each connection that tells of changes (a tracking generation): which
// reign each slot of it is in, how far its clock is ahead, and the proof of what is read over it. One primary is one
// slot. A machine: no I/O, no clock.
//
// Nothing that comes over a connection is trusted for a slot before a beat of that slot was answered over it (see
// beat_script): until then its server may be one that lost what it had promised, or one that does not serve the slot.
#pragma once

#include "proofs.hpp"
#include "seawall/base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::tier {

/// What a read needs of the connection that its answer came over.
struct footing {
  std::uint64_t generation = 0;
  std::uint64_t reign = 0;              ///< Of the slot.
  std::int64_t ahead_ms = 0;            ///< The server's clock (milliseconds since 1970) minus ours.
  const tier_proof* proof = nullptr;    ///< None: the connection tells of no changes.
};

/// What a beat was answered.
struct beat_answer {
  std::uint64_t reign = 0;
  std::int64_t ahead_ms = 0;
  std::string_view history{};  ///< Changes whenever the server becomes a primary again.
};

/// Thread safety: none, its owner guards it.
class feeds {
 public:
  using slot_number = std::uint16_t;
  /// Different proofs of several connections at once; beyond it there are none.
  static constexpr std::size_t most_sets = proofs::most / 2;
  /// Connections of one proof.
  static constexpr std::size_t most_members = 10;

  explicit feeds(duration bound) : bound_(bound), slots_(1) {}
  /// Before everything else.
  void divide(std::size_t slots) { slots_.resize(slots); }

  /// A connection tells of changes from now on. True: all caches are to drop everything first.
  [[nodiscard]] bool announce(std::uint64_t generation);
  /// The connection is gone.
  void lose(std::uint64_t generation);
  /// What was read over the connection is uncertain, and so are the reigns of its server, or whether it is a primary.
  /// `new_to_it`: something had been believed since it was doubted last. `tell_all` as in `announce`.
  struct doubted {
    bool new_to_it = false;
    bool tell_all = false;
  };
  [[nodiscard]] doubted doubt(std::uint64_t generation);
  /// The connection answers and does not tell of changes: nothing that is read over it is proved until it is heard.
  void mute(std::uint64_t generation);
  /// As `announce`.
  [[nodiscard]] bool unmute(std::uint64_t generation);
  bool tells(std::uint64_t generation) const { return told_until(generation).has_value(); }
  /// The record of the slot changed.
  void recheck(std::uint64_t generation, slot_number slot);

  /// A beat of the slot was answered that was `sent` at that moment. True: all caches are to drop everything before
  /// anything that was read over the connection is handed out: another reign has begun there.
  [[nodiscard]] bool beat(std::uint64_t generation, slot_number slot, time_point sent, const beat_answer& what);
  /// The slot whose beat shows that the connection lives; nothing if none was believed on it.
  std::optional<slot_number> pulse(std::uint64_t generation);
  /// All connections.
  std::vector<std::uint64_t> generations() const;

  /// For an answer about the slot to what was asked at `asked`; nothing if the connection is not to be trusted for it.
  std::optional<footing> stand_on(std::uint64_t generation, slot_number slot, time_point asked);
  bool trusts(std::uint64_t generation, slot_number slot) const;
  /// Where what is sent now will presumably be answered; nothing if a beat should go in front.
  std::optional<footing> expected(slot_number slot, time_point now) const;
  /// What the connection tells of changes has certainly come as far as the server made them before this moment; nothing
  /// if it tells of none.
  std::optional<time_point> told_until(std::uint64_t generation) const;

  /// The proof of what depends on several connections: it holds while those of all do. None: one of them tells of no
  /// changes, or there are too many proofs. `tell_all` as in `announce`; then it covers nothing before it is asked for
  /// again.
  [[nodiscard]] proofs::taken prove(std::span<const std::uint64_t> generations);

  /// Of the slot's last beat that was answered, ever.
  std::optional<std::uint64_t> last_reign(slot_number slot) const noexcept {
    return slots_[slot].known ? std::optional{slots_[slot].reign} : std::nullopt;
  }
  std::int64_t ahead_ms(slot_number slot) const noexcept {
    const feed* const one = find(slots_[slot].generation);
    return one ? one->ahead_ms : last_ahead_ms_;
  }
  /// Of the last beat that was answered.
  std::int64_t ahead_ms() const noexcept { return last_ahead_ms_; }
  std::uint64_t reign_changes() const noexcept { return reign_changes_; }

 private:
  struct feed {
    std::uint64_t generation = 0;
    tier_proof* proof = nullptr;
    bool mute = false;
    std::uint32_t epoch = 0;   // what was believed in an earlier one is not any more
    bool believed = false;     // in this epoch
    slot_number pulse = 0;     // the last one that was
    std::int64_t ahead_ms = 0;
    std::string history{};
    time_point checked = time_point::min();  // when the last answered beat was sent
    time_point alive = time_point::min();    // when the last was sent that was answered
  };
  struct slot_state {
    std::uint64_t generation = 0;  // of the last beat, as all here
    std::uint64_t reign = 0;
    std::uint32_t epoch = 0;
    bool known = false;
    bool verified = false;
  };
  using members = std::vector<std::uint64_t>;

  feed* find(std::uint64_t generation) noexcept;
  const feed* find(std::uint64_t generation) const noexcept;
  bool is_of(slot_number slot, const feed& one) const noexcept {
    return slots_[slot].generation == one.generation && slots_[slot].epoch == one.epoch && slots_[slot].known;
  }
  bool prove_anew(feed& one);
  void end_sets_of(std::uint64_t generation);
  void extend(const feed& one);
  void extend_set(const members& of, tier_proof& proof);

  const duration bound_;
  proofs proofs_;
  std::vector<feed> feeds_;  // one for each server, seldom two
  std::vector<slot_state> slots_;
  std::map<members, tier_proof*> sets_;  // of two members or more, in ascending order
  std::int64_t last_ahead_ms_ = 0;
  std::uint64_t reign_changes_ = 0;
};

}  // namespace seawall::tier
