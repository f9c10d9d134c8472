// Loads of one process under leases of the shared tier, with the time that a fill takes: it is sent, executed, and
// answered later. Readers of the process may join a load, or ask the tier as another process would. Writers are
// elsewhere, and end no load.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "explorer.hpp"

namespace seawall::models {

struct flight_model {
  /// Until when a reader may join a load, to be handed its value if the fill is accepted.
  enum class joining : std::uint8_t { until_sent, until_executed, until_answered };
  /// When the leader takes the value that it loaded.
  enum class taking : std::uint8_t { accepted, at_once };

  joining join = joining::until_sent;
  taking take = taking::accepted;
  bool regular = false;  ///< Hold reads against writes alone: REG instead of LIN.
  std::uint8_t readers = 3;
  std::uint8_t writers = 1;
  std::uint8_t evictions = 0;
  std::uint8_t lease_expiries = 0;

  enum class kind : std::uint8_t { nothing, value, lease };
  struct entry {
    kind what = kind::nothing;
    std::uint8_t version = 0;
    std::uint8_t nonce = 0;
  };
  enum class step_of_reader : std::uint8_t { idle, asks, leads, waits, answers, done };
  struct reader {
    step_of_reader at = step_of_reader::idle;
    std::uint8_t floor = 0;
    std::uint8_t value = 0;
    std::uint8_t leader = 0;  ///< Whose flight it waits for.
  };
  enum class phase : std::uint8_t { none, loads, loaded, sent, accepted, rejected };
  struct flight {
    phase at = phase::none;
    std::uint8_t value = 0;
    std::uint8_t nonce = 0;
  };
  enum class step_of_writer : std::uint8_t { idle, tells, returns, done };
  struct writer {
    step_of_writer at = step_of_writer::idle;
    std::uint8_t version = 0;
  };
  struct state {
    std::uint8_t committed = 1;
    std::uint8_t floor = 0;
    std::uint8_t next_nonce = 1;
    std::uint8_t evictions = 0;
    std::uint8_t lease_expiries = 0;
    entry tier{};
    std::array<reader, 3> readers{};
    std::array<flight, 3> flights{};  ///< By their leaders.
    std::array<writer, 2> writers{};
  };

  state first() const {
    state one;
    one.evictions = evictions;
    one.lease_expiries = lease_expiries;
    return one;
  }

  template <typename Out>
  void steps(const state& now, Out& out) const {
    for (std::uint8_t i = 0; i != readers; ++i) {
      read(now, i, out);
      fly(now, i, out);
    }
    for (std::uint8_t i = 0; i != writers; ++i) write(now, i, out);
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
    if (quiet(now) && now.tier.what == kind::value && now.tier.version != now.committed) {
      out.breaks(promise::perm, "quiet: the tier has v{}, the database v{}", now.tier.version, now.committed);
    }
  }

 private:
  using rstep = step_of_reader;
  using wstep = step_of_writer;

  static bool quiet(const state& now) {
    return std::ranges::all_of(now.readers, [](reader r) { return r.at == rstep::idle || r.at == rstep::done; }) &&
           std::ranges::all_of(now.flights, [](flight f) { return f.at == phase::none; }) &&
           std::ranges::all_of(now.writers, [](writer w) { return w.at == wstep::idle || w.at == wstep::done; });
  }

  static reader again(const reader& self) { return {.at = rstep::asks, .floor = self.floor}; }
  static reader answer(const reader& self, std::uint8_t value) {
    return {.at = rstep::answers, .floor = self.floor, .value = value};
  }

  bool may_join(phase at) const {
    switch (at) {
      case phase::none: return false;
      case phase::loads:
      case phase::loaded: return true;
      case phase::sent: return join != joining::until_sent;
      case phase::accepted:
      case phase::rejected: return join == joining::until_answered;
    }
    return false;
  }

  template <typename Out>
  void read(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    switch (self.at) {
      case rstep::idle: self = {.at = rstep::asks, .floor = now.floor}; return out.step(next, "reader {} begins", i);
      case rstep::asks:
        for (std::uint8_t leader = 0; leader != readers; ++leader) {
          if (!may_join(now.flights[leader].at)) continue;
          self = {.at = rstep::waits, .floor = self.floor, .leader = leader};
          out.step(next, "reader {} joins reader {}", i, leader);
        }
        return ask(now, i, out);
      case rstep::leads:
      case rstep::waits:
      case rstep::done: return;
      case rstep::answers:
        if (self.value < self.floor) {
          out.breaks(regular ? promise::reg : promise::lin, "reader {} returns v{}, but v{} was there before", i,
                     self.value, self.floor);
        }
        if (!regular) next.floor = std::max(now.floor, self.value);
        self = {.at = rstep::done};
        return out.step(next, "reader {} returns v{}", i, now.readers[i].value);
    }
  }

  template <typename Out>
  void ask(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    switch (now.tier.what) {
      case kind::value:
        self = answer(self, now.tier.version);
        return out.step(next, "reader {} hits v{}", i, now.tier.version);
      case kind::lease: return;  // it waits until the lease is gone
      case kind::nothing:
        self.at = rstep::leads;
        next.tier = {.what = kind::lease, .nonce = next.next_nonce++};
        next.flights[i] = {.at = phase::loads, .nonce = next.tier.nonce};
        return out.step(next, "reader {} gets lease {}", i, next.tier.nonce);
    }
  }

  template <typename Out>
  void fly(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    flight& load = next.flights[i];
    switch (load.at) {
      case phase::none: return;
      case phase::loads:
        load.at = phase::loaded;
        load.value = now.committed;
        return out.step(next, "reader {} loads v{}", i, load.value);
      case phase::loaded:
        load.at = phase::sent;
        if (take == taking::at_once) next.readers[i] = answer(next.readers[i], load.value);
        return out.step(next, "reader {} sends its fill", i);
      case phase::sent: {
        const bool accepted = now.tier.what == kind::lease && now.tier.nonce == load.nonce;
        load.at = accepted ? phase::accepted : phase::rejected;
        if (accepted) next.tier = {.what = kind::value, .version = load.value};
        return out.step(next, "the tier executes the fill of reader {}: {}", i, accepted ? "accepted" : "rejected");
      }
      case phase::accepted:
      case phase::rejected: {
        const auto end = [&](reader& one) { one = load.at == phase::accepted ? answer(one, load.value) : again(one); };
        if (next.readers[i].at == rstep::leads) end(next.readers[i]);
        for (reader& one : next.readers) {
          if (one.at == rstep::waits && one.leader == i) end(one);
        }
        load = {};
        return out.step(next, "the answer to the fill of reader {} arrives", i);
      }
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
        next.tier = {};
        self.at = wstep::returns;
        return out.step(next, "writer {} invalidates", i);
      case wstep::returns:
        next.floor = std::max(now.floor, self.version);
        self = {.at = wstep::done};
        return out.step(next, "writer {} returns", i);
      case wstep::done: return;
    }
  }
};

}  // namespace seawall::models
