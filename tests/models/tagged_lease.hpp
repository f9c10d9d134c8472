// Tags together with leases: an entry is stored under a lease, with the generation that its tag had, and is taken over
// when the tag's generation is another one. Invalidating the tag leaves leases alone. Readers of one process may join a
// load. A writer invalidates the tag; a second one invalidates the key.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "explorer.hpp"

namespace seawall::models {

struct tagged_lease {
  enum class stamping : std::uint8_t {
    before_load,  ///< The generation that the reader found before it asked for the entry.
    after_load,   ///< Read again once the value is there.
  };
  /// To whom of those that wait an accepted value is handed. They joined before the fill was sent.
  enum class joining : std::uint8_t {
    nobody_joins,
    everybody,
    before_load,  ///< Who joined before the load began.
    verified,     ///< All, if the tag still has the generation when it is read after the fill.
  };

  stamping stamp = stamping::before_load;
  joining join = joining::nobody_joins;
  bool restarts = false;  ///< The generation of a tag that was evicted begins again at 1; otherwise it is unique.
  bool regular = false;   ///< Hold reads against writes alone: REG instead of LIN.
  std::uint8_t readers = 3;
  std::uint8_t writers = 1;
  std::uint8_t evictions = 0;  ///< Of the entry.
  std::uint8_t tag_evictions = 0;
  std::uint8_t lease_expiries = 0;

  enum class kind : std::uint8_t { nothing, value, lease };
  struct entry {
    kind what = kind::nothing;
    std::uint8_t version = 0;
    std::uint8_t stamp = 0;
    std::uint8_t nonce = 0;
  };
  enum class step_of_reader : std::uint8_t { idle, begins, asks, loads, stamps, fills, verifies, waits, answers, done };
  struct reader {
    step_of_reader at = step_of_reader::idle;
    std::uint8_t floor = 0;
    std::uint8_t value = 0;
    std::uint8_t stamp = 0;
    std::uint8_t nonce = 0;
    std::uint8_t leader = 0;  ///< Whose flight it waits for.
    bool early = false;       ///< It joined before the load began.
  };
  enum class step_of_writer : std::uint8_t { idle, tells, returns, done };
  struct writer {
    step_of_writer at = step_of_writer::idle;
    std::uint8_t version = 0;
  };
  struct state {
    std::uint8_t committed = 1;
    std::uint8_t floor = 0;
    std::uint8_t tag = 1;  ///< 0: none.
    std::uint8_t next_generation = 2;
    std::uint8_t next_nonce = 1;
    std::uint8_t evictions = 0;
    std::uint8_t tag_evictions = 0;
    std::uint8_t lease_expiries = 0;
    entry tier{};
    std::array<reader, 3> readers{};
    std::array<writer, 2> writers{};
  };

  state first() const {
    state one;
    one.evictions = evictions;
    one.tag_evictions = tag_evictions;
    one.lease_expiries = lease_expiries;
    return one;
  }

  template <typename Out>
  void steps(const state& now, Out& out) const {
    for (std::uint8_t i = 0; i != readers; ++i) read(now, i, out);
    for (std::uint8_t i = 0; i != writers; ++i) write(now, i, out);
    happen(now, out);
    const bool valid = now.tier.what == kind::value && now.tag != 0 && now.tier.stamp == now.tag;
    if (quiet(now) && valid && now.tier.version != now.committed) {
      out.breaks(promise::perm, "quiet: v{} is valid, the database has v{}", now.tier.version, now.committed);
    }
  }

 private:
  using rstep = step_of_reader;
  using wstep = step_of_writer;

  static bool quiet(const state& now) {
    return std::ranges::all_of(now.readers, [](reader r) { return r.at == rstep::idle || r.at == rstep::done; }) &&
           std::ranges::all_of(now.writers, [](writer w) { return w.at == wstep::idle || w.at == wstep::done; });
  }

  static reader again(const reader& self) { return {.at = rstep::begins, .floor = self.floor}; }
  static reader answer(const reader& self, std::uint8_t value) {
    return {.at = rstep::answers, .floor = self.floor, .value = value};
  }

  std::uint8_t read_tag(state& next) const {
    if (next.tag == 0) {
      next.tag = restarts ? std::uint8_t{1} : next.next_generation;
      next.next_generation++;
    }
    return next.tag;
  }

  template <typename Out>
  void read(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    switch (self.at) {
      case rstep::idle: self = {.at = rstep::begins, .floor = now.floor}; return out.step(next, "reader {} begins", i);
      case rstep::begins:
        join_flights(now, i, out);
        self.stamp = read_tag(next);
        self.at = rstep::asks;
        return out.step(next, "reader {} reads the tag: {}", i, self.stamp);
      case rstep::asks: return ask(now, i, out);
      case rstep::loads:
        self.value = now.committed;
        self.at = stamp == stamping::after_load ? rstep::stamps : rstep::fills;
        return out.step(next, "reader {} loads v{}", i, self.value);
      case rstep::stamps:
        self.stamp = read_tag(next);
        self.at = rstep::fills;
        return out.step(next, "reader {} reads the tag again: {}", i, self.stamp);
      case rstep::fills: return fill(now, i, out);
      case rstep::verifies: {
        const bool same = read_tag(next) == self.stamp;
        end_flight(next, i, true, same);
        return out.step(next, "reader {} reads the tag after its fill: {}", i, same ? "the same" : "another");
      }
      case rstep::answers:
        if (self.value < self.floor) {
          out.breaks(regular ? promise::reg : promise::lin, "reader {} returns v{}, but v{} was there before", i,
                     self.value, self.floor);
        }
        if (!regular) next.floor = std::max(now.floor, self.value);
        self = {.at = rstep::done};
        return out.step(next, "reader {} returns v{}", i, now.readers[i].value);
      case rstep::waits:
      case rstep::done: return;
    }
  }

  template <typename Out>
  void join_flights(const state& now, std::uint8_t i, Out& out) const {
    if (join == joining::nobody_joins) return;
    for (std::uint8_t leader = 0; leader != readers; ++leader) {
      const rstep at = now.readers[leader].at;
      if (at != rstep::loads && at != rstep::stamps && at != rstep::fills) continue;
      state next = now;
      next.readers[i] = {
          .at = rstep::waits, .floor = now.readers[i].floor, .leader = leader, .early = at == rstep::loads};
      out.step(next, "reader {} joins reader {}", i, leader);
    }
  }

  /// Whose entry has another generation is taken over by its nonce; here that is one step with the read, since a
  /// takeover that fails reads again.
  template <typename Out>
  void ask(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    const entry& found = now.tier;
    if (found.what == kind::lease) {  // it waits until the lease is gone, and then begins again
      self = again(self);
      return out.step(next, "reader {} finds a lease", i);
    }
    if (found.what == kind::value && found.stamp == self.stamp) {
      self = answer(self, found.version);
      return out.step(next, "reader {} hits v{}", i, found.version);
    }
    self.at = rstep::loads;
    self.nonce = next.next_nonce++;
    next.tier = {.what = kind::lease, .nonce = self.nonce};
    out.step(next, "reader {} gets lease {}{}", i, self.nonce, found.what == kind::value ? ", a takeover" : "");
  }

  template <typename Out>
  void fill(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    const bool accepted = now.tier.what == kind::lease && now.tier.nonce == self.nonce;
    if (accepted) next.tier = {.what = kind::value, .version = self.value, .stamp = self.stamp, .nonce = self.nonce};
    if (accepted && join == joining::verified) {
      self.at = rstep::verifies;
    } else {
      end_flight(next, i, accepted, accepted);
    }
    out.step(next, "reader {} fills v{} with stamp {}: {}", i, now.readers[i].value, now.readers[i].stamp,
             accepted ? "accepted" : "rejected");
  }

  void end_flight(state& next, std::uint8_t i, bool accepted, bool hands_out) const {
    reader& self = next.readers[i];
    const std::uint8_t value = self.value;
    self = accepted ? answer(self, value) : again(self);
    for (reader& one : next.readers) {
      if (one.at != rstep::waits || one.leader != i) continue;
      const bool handed = hands_out && (join != joining::before_load || one.early);
      one = handed ? answer(one, value) : again(one);
    }
  }

  template <typename Out>
  void write(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    writer& self = next.writers[i];
    switch (self.at) {
      case wstep::idle:
        self = {.at = wstep::tells, .version = ++next.committed};
        return out.step(next, "writer {} commits v{}", i, self.version);
      case wstep::tells:
        self.at = wstep::returns;
        if (i == 0) {
          next.tag = next.next_generation++;
        } else {
          next.tier = {};
        }
        return out.step(next, "writer {} invalidates the {}", i, i == 0 ? "tag" : "key");
      case wstep::returns:
        next.floor = std::max(now.floor, self.version);
        self = {.at = wstep::done};
        return out.step(next, "writer {} returns", i);
      case wstep::done: return;
    }
  }

  template <typename Out>
  void happen(const state& now, Out& out) const {
    if (now.evictions != 0 && now.tier.what != kind::nothing) {
      state next = now;
      next.tier = {};
      next.evictions--;
      out.step(next, "eviction");
    }
    if (now.lease_expiries != 0 && now.tier.what == kind::lease) {
      state next = now;
      next.tier = {};
      next.lease_expiries--;
      out.step(next, "the lease expires");
    }
    if (now.tag_evictions != 0 && now.tag != 0) {
      state next = now;
      next.tag = 0;
      next.tag_evictions--;
      out.step(next, "the tag is evicted");
    }
  }
};

}  // namespace seawall::models
