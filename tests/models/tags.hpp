// An entry with a tag. Each entry has the tag's stamp, a generation or a time, and is valid as long as the stamp is;
// invalidating the tag changes it for all entries at once, wherever they are. In this model fills need no lease.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "explorer.hpp"

namespace seawall::models {

struct tagged_entry {
  enum class stamping : std::uint8_t {
    generation_before_load,
    generation_at_fill,
    time_before_load,
    time_at_fill,
  };

  stamping stamp = stamping::generation_before_load;
  bool restarts = false;      ///< The generation of a tag that was evicted begins again at 1; otherwise it is unique.
  bool writer_late = false;   ///< The clock of writers is behind by one.
  bool writer_early = false;  ///< It is ahead by one.
  std::uint8_t readers = 2;
  std::uint8_t writers = 1;
  std::uint8_t evictions = 0;  ///< Of the tag.
  std::uint8_t latest = 4;     ///< When the clock stops.

  enum class step_of_reader : std::uint8_t { idle, reads_tag, reads_entry, loads, fills, answers, done };
  struct reader {
    step_of_reader at = step_of_reader::idle;
    std::uint8_t floor = 0;
    std::uint8_t value = 0;
    std::uint8_t stamp = 0;
  };
  enum class step_of_writer : std::uint8_t { idle, tells, returns, done };
  struct writer {
    step_of_writer at = step_of_writer::idle;
    std::uint8_t version = 0;
  };
  struct state {
    std::uint8_t committed = 1;
    std::uint8_t tag = 0;      ///< 0: none.
    std::uint8_t version = 0;  ///< Of the entry; 0: none.
    std::uint8_t stamp = 0;    ///< Of the entry.
    std::uint8_t clock = 1;
    std::uint8_t floor = 0;
    std::uint8_t next_generation = 2;
    std::uint8_t evictions = 0;
    std::array<reader, 2> readers{};
    std::array<writer, 2> writers{};
  };

  state first() const {
    state one;
    one.tag = by_time() ? 0 : 1;
    one.evictions = evictions;
    return one;
  }

  template <typename Out>
  void steps(const state& now, Out& out) const {
    for (std::uint8_t i = 0; i != readers; ++i) read(now, i, out);
    for (std::uint8_t i = 0; i != writers; ++i) write(now, i, out);
    if (now.clock < latest) {
      state next = now;
      next.clock++;
      out.step(next, "it is {}", next.clock);
    }
    if (now.evictions != 0 && now.tag != 0) {
      state next = now;
      next.tag = 0;
      next.evictions--;
      out.step(next, "the tag is evicted");
    }
    if (quiet(now) && now.version != 0 && now.version != now.committed && valid(now.stamp, now.tag)) {
      out.breaks(promise::perm, "quiet: v{} is valid, the database has v{}", now.version, now.committed);
    }
  }

 private:
  using rstep = step_of_reader;
  using wstep = step_of_writer;

  bool by_time() const { return stamp == stamping::time_before_load || stamp == stamping::time_at_fill; }
  bool valid(std::uint8_t entry, std::uint8_t tag) const { return by_time() ? entry > tag : tag != 0 && entry == tag; }

  static bool quiet(const state& now) {
    return std::ranges::all_of(now.readers, [](reader r) { return r.at == rstep::idle || r.at == rstep::done; }) &&
           std::ranges::all_of(now.writers, [](writer w) { return w.at == wstep::idle || w.at == wstep::done; });
  }

  template <typename Out>
  void read(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    reader& self = next.readers[i];
    switch (self.at) {
      case rstep::idle:
        self = {.at = rstep::reads_tag, .floor = now.floor};
        return out.step(next, "reader {} begins", i);
      case rstep::reads_tag:
        if (!by_time() && now.tag == 0) {
          next.tag = restarts ? std::uint8_t{1} : next.next_generation;
          next.next_generation++;
        }
        self.at = rstep::reads_entry;
        self.stamp = next.tag;
        return out.step(next, "reader {} reads the tag: {}", i, self.stamp);
      case rstep::reads_entry: {
        const bool hit = now.version != 0 && valid(now.stamp, self.stamp);
        self = {.at = hit ? rstep::answers : rstep::loads,
                .floor = self.floor,
                .value = hit ? now.version : std::uint8_t{0},
                .stamp = hit ? std::uint8_t{0} : stamp_before(now, self)};
        return out.step(next, "reader {} {}", i, hit ? "hits" : "misses");
      }
      case rstep::loads:
        self.at = rstep::fills;
        self.value = now.committed;
        return out.step(next, "reader {} loads v{}", i, self.value);
      case rstep::fills:
        next.version = self.value;
        next.stamp = stamp_at_fill(now, self);
        self.at = rstep::answers;
        self.stamp = 0;
        return out.step(next, "reader {} fills v{} with stamp {}", i, self.value, next.stamp);
      case rstep::answers:
        if (self.value < self.floor) {
          out.breaks(promise::reg, "reader {} returns v{}, but v{} was there before", i, self.value, self.floor);
        }
        self = {.at = rstep::done};
        return out.step(next, "reader {} returns v{}", i, now.readers[i].value);
      case rstep::done: return;
    }
  }

  std::uint8_t stamp_before(const state& now, const reader& self) const {
    if (stamp == stamping::generation_before_load) return self.stamp;
    return stamp == stamping::time_before_load ? now.clock : std::uint8_t{0};
  }
  std::uint8_t stamp_at_fill(const state& now, const reader& self) const {
    if (stamp == stamping::generation_at_fill) return now.tag;
    return stamp == stamping::time_at_fill ? now.clock : self.stamp;
  }

  template <typename Out>
  void write(const state& now, std::uint8_t i, Out& out) const {
    state next = now;
    writer& self = next.writers[i];
    switch (self.at) {
      case wstep::idle:
        self = {.at = wstep::tells, .version = ++next.committed};
        return out.step(next, "writer {} commits v{}", i, self.version);
      case wstep::tells: {
        const int time = now.clock - (writer_late ? 1 : 0) + (writer_early ? 1 : 0);
        next.tag = by_time() ? std::max(now.tag, static_cast<std::uint8_t>(time)) : next.next_generation++;
        self.at = wstep::returns;
        return out.step(next, "writer {} invalidates the tag: {}", i, next.tag);
      }
      case wstep::returns:
        next.floor = std::max(now.floor, self.version);
        self = {.at = wstep::done};
        return out.step(next, "writer {} returns", i);
      case wstep::done: return;
    }
  }
};

}  // namespace seawall::models
