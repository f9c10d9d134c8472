// sentinel_resolve: one round of questions to the sentinels: whom to ask, and which primary their answers add up to.
// Performs no I/O and reads no clock.
#pragma once

#include "sentinel_answer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace seawall::redis {

/// What a majority of the sentinels vouches for.
struct sentinel_view {
  net::address primary;
  std::uint64_t epoch = 0;  // the highest that a majority has reached: no single sentinel can raise it
  bool down = false;        // most of those who name this primary find it down
  std::vector<net::address> replicas;
};

/// An address is the primary's if more than half of the known sentinels name it; those that do not answer count among
/// the known. Known are the sentinels of the configuration, and those that more than half of the answering ones of them
/// tell about: so a lying minority can neither outvote the others nor bring in voters of its own. With one configured
/// sentinel there is nobody to check it against but those it tells about; there, the silent do not count.
///
/// Two addresses under which the same sentinel answers are one (by SENTINEL MYID); a configured name that does not
/// answer is taken for one of the silent ones that others tell about.
/// Thread safety: none.
class sentinel_resolve {
 public:
  enum class state {
    going_on,
    found,
    unknown_name,  // a majority, or all that answer, know no primary of this name
    undecided,     // no majority; `account()` says who said what
  };

  sentinel_resolve(std::string primary_name, const std::vector<net::address>& configured);

  /// The sentinels to ask now; each is given out once. May grow with each answer.
  std::vector<net::address> to_ask();
  void answered(const net::address& who, sentinel_answer says);
  /// It refused, broke, or its time is over.
  void failed(const net::address& who, std::string why);

  state now_in() const noexcept { return state_; }
  /// Requires: state::found.
  const sentinel_view& found() const noexcept { return found_; }
  /// The known sentinels.
  std::vector<net::address> known() const;
  /// What each sentinel said, for people.
  std::string account() const;

 private:
  struct voter {
    net::address where;
    bool configured = false;
    bool asked = false;
    std::optional<sentinel_answer> says = {};
    std::string silent = {};  // why it says nothing

    bool open() const noexcept { return !says && silent.empty(); }
  };
  struct learned {
    net::address where;
    std::string id;
    std::size_t named_by = 0;  // configured sentinels
  };
  struct tally {
    std::vector<const voter*> ballots;   // those that answered, each sentinel once
    std::size_t configured_ballots = 0;
    std::size_t configured = 0;          // without the second names of a sentinel
  };

  voter* find(const net::address& where) noexcept;
  tally count() const;
  std::vector<learned> hearsay(const tally& so_far) const;
  void admit();
  std::size_t total(const tally& so_far, const std::vector<learned>& told) const;
  bool elect(const tally& so_far, std::size_t of);
  void decide();

  std::string name_;
  std::vector<voter> voters_;
  state state_ = state::going_on;
  sentinel_view found_;
};

}  // namespace seawall::redis
