// A process that keeps one key in its memory (the local tier) in front of leases in the shared tier. Its threads share
// one connection: commands are executed in the order in which they were sent, replies and pushes come in the order in
// which they arose. The push of an own command follows its reply. Another process writes, and perhaps reads; its own
// commands are not delayed.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "explorer.hpp"
#include "two_tiers_state.hpp"

namespace seawall::models::tiers {

struct two_tiers {
  using state = tiers::state;

  /// When an own invalidation takes the key out of the local tier.
  enum class dropping : std::uint8_t { before_and_after, only_before, only_after };
  /// Who puts what was read into the local tier.
  enum class keeping : std::uint8_t {
    on_arrival,  ///< The connection, before it looks at the next message.
    by_reader,   ///< The thread that asked, when it comes to it.
  };
  /// Whether an accepted fill is kept in the local tier.
  enum class feeding : std::uint8_t {
    none,
    compared,    ///< If a tracked read, sent with the fill, finds the nonce of that very fill.
    uncompared,  ///< Tracked read or not, whatever it finds.
    untracked,   ///< Without a tracked read.
  };

  dropping drop = dropping::before_and_after;
  keeping keep = keeping::on_arrival;
  feeding feed = feeding::none;
  bool if_unchanged = false;  ///< It is kept unless the key was told of or dropped since the read was sent.
  bool no_loop = false;       ///< The server does not tell the process of its own changes.
  bool beside = false;        ///< Own invalidations go over a connection of their own.
  bool flushes = true;        ///< When the connection drops, the local tier is emptied.
  std::uint8_t others_writes = 0;
  std::uint8_t others_reads = 0;
  std::uint8_t evictions = 0;  ///< From the shared tier.
  std::uint8_t lease_expiries = 0;
  std::uint8_t drops = 0;     ///< Of the connection.
  std::uint8_t give_ups = 0;  ///< Of own writers, that do not wait for the reply to their invalidation.

  state first() const {
    state one;
    one.others_writes = others_writes;
    one.others_reads = others_reads;
    one.evictions = evictions;
    one.lease_expiries = lease_expiries;
    one.drops = drops;
    one.give_ups = give_ups;
    return one;
  }

  template <typename Out>
  void steps(const state& now, Out& out) const {
    for (std::uint8_t i = 0; i != now.readers.size(); ++i) read(now, i, out);
    write(now, out);
    if (now.commands.size != 0) execute(now, out);
    if (now.replies.size != 0) receive(now, out);
    others_write(now, out);
    others_read(now, out);
    happen(now, out);
    if (!quiet(now)) return;
    if (now.local != 0 && now.local != now.committed) {
      out.breaks(promise::perm, "quiet: the local tier has v{}, the database v{}", now.local, now.committed);
    }
    if (now.shared.what == kind::value && now.shared.version != now.committed) {
      out.breaks(promise::perm, "quiet: the shared tier has v{}, the database v{}", now.shared.version, now.committed);
    }
  }

 private:
  using rstep = step_of_reader;
  using wstep = step_of_writer;
  using ostep = step_of_other;

  static bool quiet(const state& now) {
    return now.commands.size == 0 && now.replies.size == 0 && now.unlinks == 0 &&
           std::ranges::all_of(now.readers, [](reader r) { return r.at == rstep::idle || r.at == rstep::done; }) &&
           (now.own_writer.at == wstep::idle || now.own_writer.at == wstep::done) &&
           now.others_writer.at == ostep::idle && now.others_reader.at == ostep::idle;
  }

  static reader again(const reader& self) { return {.at = rstep::asks, .floor = self.floor}; }
  static reader answer(const reader& self, std::uint8_t value) {
    return {.at = rstep::answers, .floor = self.floor, .value = value};
  }

  /// The local tier has to forget the key.
  static void forget(state& next) {
    next.local = 0;
    for (reader& one : next.readers) {
      const bool on_its_way = one.at == rstep::reads || one.at == rstep::fills || one.at == rstep::keeps;
      if (on_its_way) one.changed = true;
    }
  }

  template <typename Out>
  void read(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    switch (self.at) {
      case rstep::idle: self = {.at = rstep::asks, .floor = now.floor}; return out.step(next, "reader {} begins", i);
      case rstep::asks:
        if (now.local != 0) {
          self = answer(self, now.local);
          return out.step(next, "reader {} finds v{} in the local tier", i, now.local);
        }
        self.at = rstep::reads;
        next.commands.push({verb::read, i});
        return out.step(next, "reader {} sends a tracked read", i);
      case rstep::loads:
        self.at = rstep::fills;
        self.value = now.committed;
        next.commands.push({verb::fill, i});
        if (feed == feeding::compared || feed == feeding::uncompared) next.commands.push({verb::read_header, i});
        return out.step(next, "reader {} loads v{} and sends its fill", i, self.value);
      case rstep::keeps: store(next, self); return out.step(next, "reader {} comes to keep v{}", i, self.value);
      case rstep::answers:
        if (self.value < self.floor) {
          out.breaks(promise::own, "reader {} returns v{}, but v{} was there before", i, self.value, self.floor);
        }
        next.floor = std::max(now.floor, self.value);
        self = {.at = rstep::done};
        return out.step(next, "reader {} returns v{}", i, now.readers[i].value);
      default: return;  // it waits for a reply, or is done
    }
  }

  template <typename Out>
  void write(const state& now, Out& out) const {
    state next = now;
    writer& self = next.own_writer;
    switch (self.at) {
      case wstep::idle:
        self = {.at = drop == dropping::only_after ? wstep::sends : wstep::drops, .version = ++next.committed};
        return out.step(next, "the writer commits v{}", self.version);
      case wstep::drops:
        forget(next);
        self.at = wstep::sends;
        return out.step(next, "the writer drops the key");
      case wstep::sends:
        if (beside) {
          next.unlinks++;
        } else {
          next.commands.push({verb::unlink, 0});
        }
        self.at = wstep::waits;
        return out.step(next, "the writer sends its invalidation");
      case wstep::waits:
        if (now.give_ups == 0) return;
        next.give_ups--;
        replied(self);
        return out.step(next, "the writer gives up");
      case wstep::drops_again:
        forget(next);
        self.at = wstep::returns;
        return out.step(next, "the writer drops the key again");
      case wstep::returns:
        next.floor = std::max(now.floor, self.version);
        self = {.at = wstep::done};
        return out.step(next, "the writer returns");
      case wstep::done: return;
    }
  }

  void replied(writer& self) const {
    if (self.at == wstep::waits) self.at = drop == dropping::only_before ? wstep::returns : wstep::drops_again;
  }

  /// The server changes the key, and tells of it once.
  static void change(state& next, const entry& to, bool tells = true) {
    next.shared = to;
    if (next.tracked && tells) next.replies.push({verb::push, 0, {}});
    next.tracked = false;
  }
  void change_own(state& next, const entry& to) const { change(next, to, !no_loop); }

  /// The server executes the oldest command.
  template <typename Out>
  void execute(const state& now, Out& out) const {
    state next = now;
    const command one = next.commands.pop();
    switch (one.what) {
      case verb::read:
      case verb::read_header:
        next.tracked = true;
        next.replies.push({one.what, one.who, now.shared});
        return out.step(next, "the server executes a tracked read of reader {}", one.who);
      case verb::lease: {
        message reply{verb::lease, one.who, now.shared};
        if (now.shared.what == kind::nothing) {
          next.readers[one.who].nonce = reply.found.nonce = next.next_nonce++;
          next.replies.push(reply);
          change_own(next, {kind::lease, 0, reply.found.nonce});
        } else {
          next.replies.push(reply);
        }
        return out.step(next, "the server executes the lease of reader {}", one.who);
      }
      case verb::fill: {
        const reader& from = now.readers[one.who];
        const bool accepted = now.shared.what == kind::lease && now.shared.nonce == from.nonce;
        const entry filled{kind::value, from.value, from.nonce};
        next.replies.push({verb::fill, one.who, accepted ? filled : entry{}});
        if (accepted) change_own(next, filled);
        return out.step(next, "the server executes the fill of reader {}: {}", one.who,
                        accepted ? "accepted" : "rejected");
      }
      default:
        next.replies.push({verb::unlink, 0, {}});
        if (now.shared.what != kind::nothing) change_own(next, {});
        return out.step(next, "the server executes the invalidation");
    }
  }

  /// The process takes the oldest message.
  template <typename Out>
  void receive(const state& now, Out& out) const {
    state next = now;
    const message one = next.replies.pop();
    reader& self = next.readers[one.who];
    switch (one.what) {
      case verb::push: forget(next); return out.step(next, "a push arrives");
      case verb::unlink: replied(next.own_writer); return out.step(next, "the reply to the invalidation arrives");
      case verb::read: {
        if (one.found.what == kind::value) {
          kept(next, self, one.found.version);
        } else if (one.found.what == kind::lease) {
          self = again(self);
        } else {
          self = {.at = rstep::leases, .floor = self.floor};
          next.commands.push({verb::lease, one.who});
        }
        return out.step(next, "the reply to the read of reader {} arrives", one.who);
      }
      case verb::lease:
        if (one.found.what == kind::value) {
          self = answer(self, one.found.version);  // not tracked, so not kept
        } else {
          self.at = one.found.what == kind::nothing ? rstep::loads : rstep::asks;
        }
        return out.step(next, "the reply to the lease of reader {} arrives", one.who);
      case verb::fill:
        self.accepted = one.found.what == kind::value;
        if (feed == feeding::none || feed == feeding::untracked) filled(next, self, self.accepted);
        return out.step(next, "the reply to the fill of reader {} arrives", one.who);
      default: {
        const bool same = one.found.what == kind::value && one.found.nonce == self.nonce;
        filled(next, self, same || feed == feeding::uncompared);
        return out.step(next, "the reply to the header read of reader {} arrives", one.who);
      }
    }
  }

  void kept(state& next, reader& self, std::uint8_t version) const {
    self.at = rstep::keeps;
    self.value = version;
    if (keep == keeping::on_arrival) store(next, self);
  }

  void store(state& next, reader& self) const {
    if (!if_unchanged || !self.changed) next.local = self.value;
    self = answer(self, self.value);
  }

  /// The fill of a reader has been answered; `keeps`: if it was accepted, it may be kept.
  void filled(state& next, reader& self, bool keeps) const {
    if (!self.accepted) {
      self = again(self);
    } else if (keeps && feed != feeding::none) {
      kept(next, self, self.value);
    } else {
      self = answer(self, self.value);
    }
  }

  template <typename Out>
  void others_write(const state& now, Out& out) const {
    state next = now;
    other& self = next.others_writer;
    if (self.at == ostep::idle && now.others_writes != 0) {
      next.others_writes--;
      self = {.at = ostep::stores, .version = ++next.committed};
      out.step(next, "another process commits v{}", self.version);
    } else if (self.at == ostep::stores) {
      self = {};
      if (now.shared.what != kind::nothing) change(next, {});
      out.step(next, "another process invalidates");
    }
  }

  template <typename Out>
  void others_read(const state& now, Out& out) const {
    state next = now;
    other& self = next.others_reader;
    if (self.at == ostep::idle && now.others_reads != 0 && now.shared.what == kind::nothing) {
      next.others_reads--;
      self = {.at = ostep::loads, .nonce = next.next_nonce++};
      change(next, {kind::lease, 0, self.nonce});
      out.step(next, "another process gets lease {}", self.nonce);
    } else if (self.at == ostep::loads) {
      self.at = ostep::stores;
      self.version = now.committed;
      out.step(next, "another process loads v{}", self.version);
    } else if (self.at == ostep::stores) {
      const bool accepted = now.shared.what == kind::lease && now.shared.nonce == self.nonce;
      if (accepted) change(next, {kind::value, self.version, self.nonce});
      self = {};
      out.step(next, "another process fills: {}", accepted ? "accepted" : "rejected");
    }
  }

  template <typename Out>
  void happen(const state& now, Out& out) const {
    if (now.unlinks != 0) {  // the reply takes no time of its own: the writer may be slow as well
      state next = now;
      next.unlinks--;
      if (now.shared.what != kind::nothing) change_own(next, {});
      replied(next.own_writer);
      out.step(next, "the server executes the invalidation, and the reply arrives");
    }
    if (now.evictions != 0 && now.shared.what != kind::nothing) {
      state next = now;
      next.evictions--;
      change(next, {});
      out.step(next, "eviction");
    }
    if (now.lease_expiries != 0 && now.shared.what == kind::lease) {
      state next = now;
      next.lease_expiries--;
      change(next, {});
      out.step(next, "the lease expires");
    }
    if (now.drops == 0) return;
    state next = now;
    next.drops--;
    next.commands = {};
    next.replies = {};
    next.tracked = false;
    if (flushes) forget(next);
    for (reader& one : next.readers) {
      if (one.at == rstep::reads || one.at == rstep::leases || one.at == rstep::fills) one = again(one);
    }
    if (next.own_writer.at == wstep::waits && !beside) next.own_writer.at = wstep::sends;
    out.step(next, "the connection drops");
  }
};

}  // namespace seawall::models::tiers
