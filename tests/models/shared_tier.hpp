// One key in the shared tier, the database behind it, readers that fill it and writers that commit and tell it. Readers
// and writers stand for processes or threads; each command on the tier is atomic, and anything may happen between two
// steps of anybody.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "explorer.hpp"

namespace seawall::models {

/// How a reader stores what it loaded.
enum class filling : std::uint8_t {
  set,     ///< Whatever is there now.
  add,     ///< Where nothing is; over the marker of an invalidation, if a marker is still there.
  add_id,  ///< The same, and it must be the very marker that the reader saw.
  lease,   ///< Where the lease is still stored that the reader was granted, and its floor is not above the value.
};

/// What a writer does. It returns after the last step.
enum class writing : std::uint8_t {
  commit_invalidate,
  invalidate_commit,
  invalidate_commit_invalidate,
  intent_commit_invalidate,  ///< Leaves a tombstone first, which keeps readers from filling.
  commit_set,                ///< Its value, whatever is there.
  commit_set_newer,          ///< Its value, unless something as new is there.
  commit_put_drop,           ///< Its value in place of an older one that is there; takes a lease away.
  commit_put_raise,          ///< The same, but a lease stays, with its floor raised.
};

/// What a reader does whose fill was rejected.
enum class rejection : std::uint8_t { serve, retry };

/// Who gets the value of a load in the same process that he waited for.
enum class joining : std::uint8_t {
  nobody_joins,
  everybody,    ///< Whether the fill was accepted or not.
  accepted,     ///< All if the fill was accepted; the others start over.
  before_load,  ///< All if the fill was accepted; otherwise those who joined before the load began.
};

/// Where loads read, and what an invalidation leaves behind to hold the old value of a replica off.
enum class loading : std::uint8_t {
  primary,
  replica,           ///< Nothing.
  replica_cooldown,  ///< A tombstone: while it is there, loads read the primary and do not fill.
  replica_floor,     ///< A tombstone with a floor, which the next lease inherits.
  replica_reached,   ///< Nothing; a load waits until the replica has what the primary had after the load began.
  replica_early,     ///< The same, with what the primary had when the reader began, before its lease.
};

struct shared_tier {
  filling fill = filling::lease;
  writing write = writing::commit_invalidate;
  rejection rejected = rejection::serve;
  joining join = joining::nobody_joins;
  loading load = loading::primary;
  bool cooldown = false;  ///< Tombstones keep readers from filling, though loads read the primary.
  bool monotone = false;  ///< An invalidation does not lower the floor that is there.
  bool outbox = false;    ///< The commit also notes the invalidation, for a relay.
  bool same_nonce = false;  ///< A reader whose claim of a lease was lost claims again with the nonce of that.
  bool regular = false;   ///< Hold reads against writes alone: REG instead of LIN.
  std::uint8_t readers = 2;
  std::uint8_t writers = 2;
  std::uint8_t evictions = 0;  ///< How often each of these may happen at most.
  std::uint8_t lease_expiries = 0;
  std::uint8_t tombstone_expiries = 0;  ///< Not before the replica has caught up with the floor.
  std::uint8_t crashes = 0;             ///< Of writers, between commit and invalidation.
  std::uint8_t lost_claims = 0;         ///< Claims of a lease without an answer, which are executed later.

  enum class kind : std::uint8_t { nothing, value, lease, tombstone };
  struct entry {
    kind what = kind::nothing;
    std::uint8_t version = 0;  ///< Of the value; the floor of the others.
    std::uint8_t nonce = 0;    ///< Of the lease.
  };

  enum class step_of_reader : std::uint8_t { idle, asks, loads, fills, waits, answers, done };
  /// What the reader may fill by.
  enum class right : std::uint8_t { none, lease, marker, primary_only };
  struct reader {
    step_of_reader at = step_of_reader::idle;
    std::uint8_t floor = 0;  ///< What it has to be as new as.
    std::uint8_t value = 0;
    right by = right::none;
    std::uint8_t nonce = 0;  ///< Of its lease, or lost claim; of the marker that it saw; the leader that it waits for.
    bool early = false;      ///< It joined before the load began.
    std::uint8_t reached = 0;  ///< What the replica must have: 0 before the primary was asked.
  };

  enum class step_of_writer : std::uint8_t { idle, commits, tells, returns, done };
  struct writer {
    step_of_writer at = step_of_writer::idle;
    std::uint8_t version = 0;
  };

  struct state {
    std::uint8_t committed = 1;
    std::uint8_t replica = 1;
    std::uint8_t floor = 0;
    std::uint8_t next_nonce = 1;
    std::uint8_t outbox = 0;  ///< A bit for each version.
    std::uint8_t evictions = 0;
    std::uint8_t lease_expiries = 0;
    std::uint8_t tombstone_expiries = 0;
    std::uint8_t crashes = 0;
    std::uint8_t lost_claims = 0;
    std::uint8_t late = 0;  ///< The nonce of a claim that is still to be executed.
    entry tier{};
    std::array<reader, 3> readers{};
    std::array<writer, 2> writers{};
  };

  state first() const {
    state one;
    one.evictions = evictions;
    one.lease_expiries = lease_expiries;
    one.tombstone_expiries = tombstone_expiries;
    one.crashes = crashes;
    one.lost_claims = lost_claims;
    return one;
  }

  template <typename Out>
  void steps(const state& now, Out& out) const {
    for (std::uint8_t i = 0; i != readers; ++i) read(now, i, out);
    for (std::uint8_t i = 0; i != writers; ++i) write_step(now, i, out);
    happen(now, out);
    if (quiet(now) && now.tier.what == kind::value && now.tier.version != now.committed) {
      out.breaks(promise::perm, "quiet: the tier has v{}, the database v{}", now.tier.version, now.committed);
    }
  }

 private:
  using rstep = step_of_reader;
  using wstep = step_of_writer;

  bool on_replica() const { return load != loading::primary; }
  bool cools_down() const { return cooldown || load == loading::replica_cooldown; }
  bool marks() const {
    return fill == filling::add || fill == filling::add_id || load == loading::replica_cooldown ||
           load == loading::replica_floor;
  }

  bool quiet(const state& now) const {
    return std::ranges::all_of(now.readers, [](reader r) { return r.at == rstep::idle || r.at == rstep::done; }) &&
           std::ranges::all_of(now.writers, [](writer w) { return w.at == wstep::idle || w.at == wstep::done; }) &&
           now.outbox == 0 && (!on_replica() || now.replica == now.committed);
  }

  template <typename Out>
  void read(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    switch (self.at) {
      case rstep::idle:
        self = {.at = rstep::asks, .floor = now.floor};
        if (load == loading::replica_early) self.reached = now.committed;
        return out.step(next, "reader {} begins", i);
      case rstep::asks: join_flights(now, i, out); return ask(now, i, out);
      case rstep::loads: {
        if (load == loading::replica_reached && self.reached == 0) {
          self.reached = now.committed;
          return out.step(next, "reader {} waits for v{} on the replica", i, self.reached);
        }
        if (now.replica < self.reached) return;
        self.value = on_replica() && self.by != right::primary_only ? now.replica : now.committed;
        self.at = rstep::fills;
        if (self.by == right::primary_only) self = answer(self, now.committed);
        return out.step(next, "reader {} loads v{}", i, self.value);
      }
      case rstep::fills: return try_fill(now, i, out);
      case rstep::waits:
      case rstep::done: return;
      case rstep::answers:
        if (self.value < self.floor) {
          out.breaks(regular ? promise::reg : promise::lin, "reader {} returns v{}, but v{} was there before", i,
                     self.value, self.floor);
        }
        if (!regular) next.floor = std::max(next.floor, self.value);
        self = {.at = rstep::done};
        return out.step(next, "reader {} returns v{}", i, now.readers[i].value);
    }
  }

  static reader answer(const reader& self, std::uint8_t value) {
    return {.at = rstep::answers, .floor = self.floor, .value = value};
  }
  static reader again(const reader& self) { return {.at = rstep::asks, .floor = self.floor}; }

  template <typename Out>
  void join_flights(const state& now, std::uint8_t i, Out& out) const {
    if (join == joining::nobody_joins) return;
    for (std::uint8_t leader = 0; leader != readers; ++leader) {
      const reader& other = now.readers[leader];
      if (leader == i || other.by != right::lease) continue;
      state next = now;
      const bool early = other.at == rstep::loads;
      next.readers[i] = {.at = rstep::waits, .floor = now.readers[i].floor, .nonce = leader, .early = early};
      out.step(next, "reader {} joins reader {}, {} the load", i, leader, early ? "before" : "after");
    }
  }

  /// The reader's first command: a read, or a read that grants a lease where nothing is.
  template <typename Out>
  void ask(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    const entry& found = now.tier;
    if (found.what == kind::value) {
      self = answer(self, found.version);
      return out.step(next, "reader {} hits v{}", i, found.version);
    }
    if (fill == filling::lease && found.what == kind::lease) {
      if (found.nonce != self.nonce) return;  // it waits until the lease is gone
      self.at = rstep::loads;
      self.by = right::lease;
      return out.step(next, "reader {} sees that its claim was executed", i);
    }
    if (now.lost_claims != 0 && now.late == 0 && fill == filling::lease) {
      state lost = now;
      lost.lost_claims--;
      lost.late = lost.readers[i].nonce = lost.next_nonce++;
      out.step(lost, "reader {} claims, and the claim is lost", i);
    }
    self.at = rstep::loads;
    if (found.what == kind::tombstone && cools_down()) {
      self.by = right::primary_only;
    } else if (found.what == kind::tombstone && marks() && fill != filling::lease) {
      self.by = right::marker;
      if (fill == filling::add_id) self.nonce = found.version;  // each write has one of its own
    } else if (fill == filling::lease) {
      self.by = right::lease;
      if (self.nonce == 0 || !same_nonce) self.nonce = next.next_nonce++;
      next.tier = {.what = kind::lease, .version = found.version, .nonce = self.nonce};
    }
    constexpr std::array said{"no right to fill", "a lease", "the marker", "no right to fill, but the primary"};
    out.step(next, "reader {} misses: {}", i, said[static_cast<std::size_t>(self.by)]);
  }

  bool accepts(const entry& there, const reader& from) const {
    switch (fill) {
      case filling::set: return true;
      case filling::add: return there.what == (from.by == right::marker ? kind::tombstone : kind::nothing);
      case filling::add_id:
        if (from.by != right::marker) return there.what == kind::nothing;
        return there.what == kind::tombstone && there.version == from.nonce;
      case filling::lease:
        return from.by == right::lease && there.what == kind::lease && there.nonce == from.nonce &&
               from.value >= there.version;
    }
    return false;
  }

  template <typename Out>
  void try_fill(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    const reader& before = now.readers[i];
    reader& self = next.readers[i];
    const bool accepted = accepts(now.tier, before);
    self = answer(before, before.value);
    if (accepted) {
      next.tier = {.what = kind::value, .version = before.value};
    } else if (load == loading::replica_floor) {
      self = {.at = rstep::loads, .floor = before.floor, .by = right::primary_only};
    } else if (rejected == rejection::retry) {
      self = again(before);
    }
    for (reader& waiter : next.readers) {
      if (waiter.at != rstep::waits || waiter.nonce != i) continue;
      const bool handed = accepted || join == joining::everybody || (join == joining::before_load && waiter.early);
      waiter = handed ? answer(waiter, before.value) : again(waiter);
    }
    out.step(next, "reader {} fills v{}: {}", i, before.value, accepted ? "accepted" : "rejected");
  }

  bool begins_with_tier() const {
    return write == writing::invalidate_commit || write == writing::invalidate_commit_invalidate ||
           write == writing::intent_commit_invalidate;
  }

  entry invalidated(const entry& found, std::uint8_t version) const {
    if (!marks()) return {};
    const bool holds = monotone && found.what != kind::value && found.what != kind::nothing;
    return {.what = kind::tombstone, .version = holds ? std::max(version, found.version) : version};
  }

  entry told(const entry& found, std::uint8_t version) const {
    const entry mine{.what = kind::value, .version = version};
    switch (write) {
      case writing::commit_set: return mine;
      case writing::commit_set_newer: return version > found.version ? mine : found;
      case writing::commit_put_drop:
      case writing::commit_put_raise: {
        if (found.what == kind::value) return version > found.version ? mine : found;
        if (found.what != kind::lease) return found;
        if (write == writing::commit_put_drop) return {};
        return {.what = kind::lease, .version = std::max(found.version, version), .nonce = found.nonce};
      }
      default: return invalidated(found, version);
    }
  }

  template <typename Out>
  void write_step(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    writer& self = next.writers[i];
    switch (self.at) {
      case wstep::idle:
        self.at = wstep::commits;
        if (!begins_with_tier()) return out.step(next, "writer {} begins", i);
        next.tier = invalidated(now.tier, 0);
        if (write == writing::intent_commit_invalidate) next.tier = {.what = kind::tombstone};
        return out.step(next, "writer {} invalidates before it commits", i);
      case wstep::commits:
        self = {.at = write == writing::invalidate_commit ? wstep::returns : wstep::tells, .version = ++next.committed};
        if (outbox) next.outbox |= static_cast<std::uint8_t>(1U << self.version);
        return out.step(next, "writer {} commits v{}", i, self.version);
      case wstep::tells:
        self.at = wstep::returns;
        next.tier = told(now.tier, self.version);
        out.step(next, "writer {} tells the tier of v{}", i, self.version);
        if (now.crashes == 0) return;
        next = now;
        next.crashes--;
        self = {.at = wstep::done};
        return out.step(next, "writer {} crashes", i);
      case wstep::returns:
        next.floor = std::max(next.floor, self.version);
        self = {.at = wstep::done};
        return out.step(next, "writer {} returns", i);
      case wstep::done: return;
    }
  }

  /// What nobody asked for.
  template <typename Out>
  void happen(const state& now, Out& out) const {
    const auto changed = [&now](auto change) {
      state next = now;
      change(next);
      return next;
    };
    if (now.outbox != 0) {
      state next = now;
      std::uint8_t oldest = 0;
      while ((now.outbox >> oldest & 1) == 0) ++oldest;
      next.outbox &= static_cast<std::uint8_t>(now.outbox - 1);
      next.tier = invalidated(now.tier, oldest);
      out.step(next, "the relay invalidates v{}", oldest);
    }
    if (now.evictions != 0 && now.tier.what != kind::nothing) {
      out.step(changed([](state& next) { next.tier = {}, next.evictions--; }), "eviction");
    }
    if (now.late != 0) {
      state next = now;
      if (now.tier.what == kind::nothing) next.tier = {.what = kind::lease, .nonce = now.late};
      next.late = 0;
      out.step(next, "a lost claim is executed");
    }
    if (now.lease_expiries != 0 && now.tier.what == kind::lease) {
      const bool keeps = load == loading::replica_floor && now.tier.version != 0;
      const entry rest{.what = keeps ? kind::tombstone : kind::nothing, .version = now.tier.version};
      out.step(changed([&](state& next) { next.tier = keeps ? rest : entry{}, next.lease_expiries--; }),
               "the lease expires");
    }
    const bool caught_up = !on_replica() || now.replica >= now.tier.version;
    if (now.tombstone_expiries != 0 && now.tier.what == kind::tombstone && caught_up) {
      out.step(changed([](state& next) { next.tier = {}, next.tombstone_expiries--; }), "the tombstone expires");
    }
    if (on_replica() && now.replica < now.committed) {
      out.step(changed([](state& next) { next.replica++; }), "the replica of the database catches up by one");
    }
  }
};

}  // namespace seawall::models
