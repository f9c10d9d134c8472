// The shared tier on a primary that replicates asynchronously and fails over. A reign lasts from one failover to the
// next. The record of the generation is a key beside the others and is replicated with them, in order: what a replica
// has is what the primary had at some moment.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "explorer.hpp"

namespace seawall::models {

enum class telling : std::uint8_t { invalidate, put };

struct primary_tier {
  bool generations = false;  ///< A client reads the record when it connects, and draws a new one in a new reign.
  bool pair = false;         ///< The read is two commands: a lease where nothing is, and a read.
  telling tell = telling::invalidate;
  bool blind_refresh = false;  ///< A refresh stores whatever is there; otherwise in place of what it saw.
  bool outbox = false;
  std::uint8_t readers = 2;
  std::uint8_t writers = 2;
  std::uint8_t refreshers = 0;
  std::uint8_t evictions = 0;
  std::uint8_t lease_expiries = 0;
  std::uint8_t failovers = 0;
  std::uint8_t crashes = 0;  ///< Of writers, between commit and invalidation.
  std::uint8_t losses = 0;   ///< Evictions of the record.
  bool restarts = false;     ///< Where no record is, the generation begins again at 1; otherwise it is unique.

  enum class kind : std::uint8_t { nothing, value, lease };
  struct entry {
    kind what = kind::nothing;
    std::uint8_t version = 0;  ///< Of the value; the floor of a lease.
    std::uint8_t nonce = 0;
    std::uint8_t generation = 0;
  };
  struct server {
    std::uint8_t generation = 1;  ///< The record, 0 if there is none, and
    std::uint8_t reign = 0;       ///< in which reign it was written: run id and replication id tell.
    entry key{};
  };
  struct connection {
    std::uint8_t reign = 0;
    std::uint8_t generation = 1;
  };
  enum class step_of_reader : std::uint8_t { idle, asks, gets, loads, fills, answers, done };
  struct reader {
    step_of_reader at = step_of_reader::idle;
    std::uint8_t floor = 0;
    std::uint8_t value = 0;
    std::uint8_t nonce = 0;
    std::uint8_t generation = 0;  ///< Under which its lease was granted.
    connection link{};
  };
  enum class step_of_writer : std::uint8_t { idle, tells, returns, done };
  struct writer {
    step_of_writer at = step_of_writer::idle;
    std::uint8_t version = 0;
    connection link{};
  };
  enum class step_of_refresher : std::uint8_t { idle, loads, stores, done };
  struct refresher {
    step_of_refresher at = step_of_refresher::idle;
    std::uint8_t value = 0;
    std::uint8_t nonce = 0;
    std::uint8_t generation = 0;
    connection link{};
  };
  struct state {
    std::uint8_t committed = 1;
    std::uint8_t reign = 0;
    std::uint8_t floor = 0;
    std::uint8_t next_nonce = 2;
    std::uint8_t outbox = 0;  ///< A bit for each version.
    std::uint8_t evictions = 0;
    std::uint8_t lease_expiries = 0;
    std::uint8_t failovers = 0;
    std::uint8_t crashes = 0;
    std::uint8_t losses = 0;
    server primary{};
    server replica{};
    connection relay{};
    std::array<reader, 2> readers{};
    std::array<writer, 2> writers{};
    std::array<refresher, 1> refreshers{};
  };

  state first() const {
    state one;
    one.evictions = evictions;
    one.lease_expiries = lease_expiries;
    one.failovers = failovers;
    one.crashes = crashes;
    one.losses = losses;
    return one;
  }

  template <typename Out>
  void steps(const state& now, Out& out) const {
    for (std::uint8_t i = 0; i != readers; ++i) read(now, i, out);
    for (std::uint8_t i = 0; i != writers; ++i) write(now, i, out);
    for (std::uint8_t i = 0; i != refreshers; ++i) refresh(now, i, out);
    happen(now, out);
    const entry& key = now.primary.key;
    if (quiet(now) && key.what == kind::value && key.version != now.committed && served(now)) {
      out.breaks(promise::perm, "quiet: the tier has v{}, the database v{}", key.version, now.committed);
    }
  }

 private:
  using rstep = step_of_reader;
  using wstep = step_of_writer;
  using fstep = step_of_refresher;

  static bool quiet(const state& now) {
    const auto rests = [](const auto& one) {
      using step = decltype(one.at);
      return one.at == step::idle || one.at == step::done;
    };
    return now.outbox == 0 && std::ranges::all_of(now.readers, rests) && std::ranges::all_of(now.writers, rests) &&
           std::ranges::all_of(now.refreshers, rests);
  }

  /// To whoever connects, or to somebody who is connected.
  bool served(const state& now) const {
    const std::uint8_t generation = now.primary.key.generation;
    const auto sees = [&](const auto& one) { return one.link.reign == now.reign && one.link.generation == generation; };
    return !generations || (generation == now.primary.generation && now.primary.reign == now.reign) ||
           std::ranges::any_of(now.readers, sees) || std::ranges::any_of(now.refreshers, sees);
  }

  /// Where there are no failovers, connections are not looked at.
  bool connected(const state& now, const connection& link) const { return failovers == 0 || link.reign == now.reign; }

  /// The handshake, before anything else is said on a new connection. `link` is of `next`.
  void connect(state& next, connection& link) const {
    if (!generations) {
      link.reign = next.reign;
      return;
    }
    server& primary = next.primary;
    if (primary.generation == 0 && restarts) {
      primary = {1, next.reign, primary.key};
    } else if (primary.generation == 0 || primary.reign != next.reign) {
      primary = {next.next_nonce++, next.reign, primary.key};
    }
    link = {next.reign, primary.generation};
  }

  /// Left over from another reign.
  bool suspect(const entry& key, const connection& link) const {
    return generations && key.what != kind::nothing && key.generation != link.generation;
  }

  void grant(state& next, reader& self, rstep then) const {
    const entry& key = next.primary.key;
    const std::uint8_t floor = key.what == kind::lease ? key.version : std::uint8_t{0};
    self.at = then;
    self.nonce = next.next_nonce++;
    self.generation = self.link.generation;
    next.primary.key = {kind::lease, floor, self.nonce, self.generation};
  }

  static reader again(const reader& self) { return {.at = rstep::asks, .floor = self.floor, .link = self.link}; }
  static reader answer(const reader& self, std::uint8_t value) {
    return {.at = rstep::answers, .floor = self.floor, .value = value, .link = self.link};
  }

  template <typename Out>
  void read(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    const bool commands = self.at == rstep::asks || self.at == rstep::gets || self.at == rstep::fills;
    if (commands && !connected(now, self.link)) {
      connect(next, self.link);
      return out.step(next, "reader {} connects: generation {}", i, self.link.generation);
    }
    switch (self.at) {
      case rstep::idle:
        self = {.at = rstep::asks, .floor = now.floor, .link = self.link};
        return out.step(next, "reader {} begins", i);
      case rstep::asks: return ask(now, i, out);
      case rstep::gets: return get(now, i, out);
      case rstep::loads:
        self.value = now.committed;
        self.at = rstep::fills;
        return out.step(next, "reader {} loads v{}", i, self.value);
      case rstep::fills: return fill(now, i, out);
      case rstep::answers:
        if (self.value < self.floor) {
          out.breaks(promise::lin, "reader {} returns v{}, but v{} was there before", i, self.value, self.floor);
        }
        next.floor = std::max(now.floor, self.value);
        self = {.at = rstep::done, .link = self.link};
        return out.step(next, "reader {} returns v{}", i, now.readers[i].value);
      case rstep::done: return;
    }
  }

  template <typename Out>
  void ask(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    const entry& found = now.primary.key;
    if (suspect(found, self.link) && self.link.generation != now.primary.generation) {
      // Perhaps it is this client that is behind. Two that take over from one another would never end.
      connect(next, self.link);
      return out.step(next, "reader {} looks at the record again: generation {}", i, self.link.generation);
    }
    if (found.what == kind::nothing || suspect(found, self.link)) {
      const bool takes_over = found.what != kind::nothing;
      grant(next, self, pair && !takes_over ? rstep::gets : rstep::loads);
      return out.step(next, "reader {} gets lease {}{}", i, self.nonce, takes_over ? ", a takeover" : "");
    }
    if (pair) {
      self.at = rstep::gets;
      self.generation = self.link.generation;
      return out.step(next, "reader {} gets no lease", i);
    }
    if (found.what == kind::lease) return;  // it waits until the lease is gone
    self = answer(self, found.version);
    out.step(next, "reader {} hits v{}", i, found.version);
  }

  /// The second command of the pair.
  template <typename Out>
  void get(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    const entry& found = now.primary.key;
    std::string_view seen = "nothing of use";
    if (found.what == kind::value && !suspect(found, self.link)) {
      seen = "a value";
      self = answer(self, found.version);
    } else if (found.what == kind::lease && self.nonce != 0 && found.nonce == self.nonce) {
      seen = "its lease";
      self.at = rstep::loads;
    } else {
      self = again(self);
    }
    out.step(next, "reader {} reads: {}", i, seen);
  }

  template <typename Out>
  void fill(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    const reader& before = now.readers[i];
    const entry& key = now.primary.key;
    const bool accepted = key.what == kind::lease && key.nonce == before.nonce && before.value >= key.version &&
                          (!generations || before.generation == before.link.generation);
    self = accepted ? answer(before, before.value) : again(before);
    if (accepted) next.primary.key = {kind::value, before.value, next.next_nonce++, before.generation};
    out.step(next, "reader {} fills v{}: {}", i, before.value, accepted ? "accepted" : "rejected");
  }

  /// What a writer, or the relay, leaves in the tier.
  entry told(const entry& found, std::uint8_t version, const connection& link, std::uint8_t nonce) const {
    if (tell == telling::invalidate || found.what == kind::nothing) return {};
    if (found.what == kind::lease) {
      return {kind::lease, std::max(found.version, version), found.nonce, found.generation};
    }
    if (suspect(found, link)) return {};
    return version > found.version ? entry{kind::value, version, nonce, link.generation} : found;
  }

  void tell_tier(state& next, std::uint8_t version, const connection& link) const {
    const std::uint8_t nonce = next.next_nonce;
    if (tell == telling::put) next.next_nonce++;
    next.primary.key = told(next.primary.key, version, link, nonce);
  }

  template <typename Out>
  void write(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    writer& self = next.writers[i];
    switch (self.at) {
      case wstep::idle:
        self = {wstep::tells, ++next.committed, self.link};
        if (outbox) next.outbox |= static_cast<std::uint8_t>(1U << self.version);
        return out.step(next, "writer {} commits v{}", i, self.version);
      case wstep::tells:
        if (!connected(now, self.link)) {
          connect(next, self.link);
          out.step(next, "writer {} connects: generation {}", i, self.link.generation);
        } else {
          tell_tier(next, self.version, self.link);
          self.at = wstep::returns;
          out.step(next, "writer {} tells the tier of v{}", i, self.version);
        }
        if (now.crashes == 0) return;
        next = now;
        next.crashes--;
        self = {wstep::done, 0, self.link};
        return out.step(next, "writer {} crashes", i);
      case wstep::returns:
        next.floor = std::max(now.floor, self.version);
        self = {wstep::done, 0, self.link};
        return out.step(next, "writer {} returns", i);
      case wstep::done: return;
    }
  }

  template <typename Out>
  void refresh(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    refresher& self = next.refreshers[i];
    const entry& key = now.primary.key;
    const bool commands = self.at == fstep::idle || self.at == fstep::stores;
    if (commands && !connected(now, self.link)) {
      connect(next, self.link);
      return out.step(next, "the refresher connects: generation {}", self.link.generation);
    }
    switch (self.at) {
      case fstep::idle:
        if (key.what != kind::value || suspect(key, self.link)) return;
        self = {fstep::loads, 0, key.nonce, self.link.generation, self.link};
        return out.step(next, "the refresher sees nonce {}", key.nonce);
      case fstep::loads:
        self.value = now.committed;
        self.at = fstep::stores;
        return out.step(next, "the refresher loads v{}", self.value);
      case fstep::stores: {
        const bool same = key.what == kind::value && key.nonce == self.nonce;
        const bool accepted = blind_refresh || (same && (!generations || self.generation == self.link.generation));
        const std::uint8_t nonce = next.next_nonce++;
        if (accepted) next.primary.key = {kind::value, self.value, nonce, self.generation};
        self = {fstep::done, 0, 0, 0, self.link};
        return out.step(next, "the refresher stores: {}", accepted ? "accepted" : "rejected");
      }
      case fstep::done: return;
    }
  }

  template <typename Out>
  void happen(const state& now, Out& out) const {
    const entry& key = now.primary.key;
    if (now.outbox != 0) relay(now, out);
    if (now.evictions != 0 && key.what != kind::nothing) {
      state next = now;
      next.evictions--;
      next.primary.key = {};
      out.step(next, "eviction");
    }
    if (now.lease_expiries != 0 && key.what == kind::lease) {
      state next = now;
      next.lease_expiries--;
      next.primary.key = {};
      out.step(next, "the lease expires");
    }
    if (failovers == 0) return;
    state next = now;
    if (now.losses != 0 && now.primary.generation != 0) {
      next.losses--;
      next.primary.generation = 0;
      out.step(next, "the record of the generation is evicted");
      next = now;
    }
    next.replica = now.primary;
    out.step(next, "the primary replicates");
    if (now.failovers == 0) return;
    next = now;
    next.primary = now.replica;
    next.reign++;
    next.failovers--;
    out.step(next, "failover");
  }

  template <typename Out>
  void relay(const state& now, Out& out) const {
    state next = now;
    if (!connected(now, now.relay)) {
      connect(next, next.relay);
      return out.step(next, "the relay connects: generation {}", next.relay.generation);
    }
    std::uint8_t oldest = 0;
    while ((now.outbox >> oldest & 1) == 0) ++oldest;
    next.outbox &= static_cast<std::uint8_t>(now.outbox - 1);
    tell_tier(next, oldest, now.relay);
    out.step(next, "the relay tells the tier of v{}", oldest);
  }
};

}  // namespace seawall::models
