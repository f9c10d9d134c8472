// slot_refresh: when the map of a cluster's slots is asked for, and whom. Performs no I/O and reads no clock.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/random.hpp"
#include "seawall/net/address.hpp"

#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace seawall::redis {

/// One question at a time. A round asks a few nodes one after the other until one answers; after a round in vain comes
/// a pause that grows. Between rounds lies a pause that grows with the cluster and has a random part, so that thousands
/// of clients which saw the same failure do not ask together. In no second does a client ask more often than
/// `per_second`. Thread safety: none.
class slot_refresh {
 public:
  struct pacing {
    duration least = std::chrono::milliseconds{100};    // between rounds
    duration per_node = std::chrono::milliseconds{10};  // more for each node that is known
    duration most = std::chrono::seconds{10};
    duration period = std::chrono::seconds{60};         // without any reason
    duration first_pause = std::chrono::milliseconds{50};  // after a round in vain, doubled up to
    duration longest_pause = std::chrono::seconds{2};
    int tries = 4;                                      // nodes of one round
    int per_second = 5;                                 // questions
  };
  struct node {
    net::address address;
    bool up;
  };

  slot_refresh(random_source& random, const pacing& how) : random_(random), how_(how) {}

  /// The map may be wrong.
  void want(time_point now);
  /// This node knows more than others: it is asked first.
  void prefer(const net::address& who) { preferred_ = who; }

  /// When to call `step`.
  time_point next() const noexcept { return asking_ ? never : next_; }
  /// The node to ask now, if it is time: then `answered` or `failed` must follow. Nodes that are up go first; the seeds
  /// follow when none is, or when the round before was in vain.
  std::optional<net::address> step(time_point now, std::span<const node> known, std::span<const net::address> seeds);
  /// A map came, of so many nodes. Not `settled`: the cluster is not whole, so the map is soon asked for again, the
  /// longer this lasts the more slowly.
  void answered(time_point now, std::size_t nodes, bool settled = true);
  /// No map came. True: that was the last node of this round.
  bool failed(time_point now);

  bool asking() const noexcept { return asking_; }

 private:
  void plan(std::span<const node> known, std::span<const net::address> seeds);
  void shuffle(std::vector<net::address>& some);
  duration pace();
  duration part_of(duration whole);

  random_source& random_;
  const pacing how_;
  std::size_t nodes_ = 0;
  bool ever_ = false;
  bool asking_ = false;
  bool wanted_ = false;  // while asking
  int failures_ = 0;     // rounds in vain, one after the other
  int unsettled_ = 0;    // answers of a cluster that is not whole, one after the other
  time_point next_ = never;
  time_point earliest_{};     // of the next round
  std::deque<time_point> asked_;  // the latest questions, as many as one second allows
  std::deque<net::address> plan_;
  std::optional<net::address> preferred_;
};

}  // namespace seawall::redis
