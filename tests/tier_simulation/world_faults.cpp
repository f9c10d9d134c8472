#include "world.hpp"

#include <utility>

namespace simulation {

/// A moment to come: mostly soon, at times long after the bound.
time_point world::some_time() {
  const duration most = chance_.one_in(3) ? 3 * tier_options_.bound : slowest_step_ * 20;
  return now_ + duration{static_cast<duration::rep>(chance_.below(static_cast<std::size_t>(most.count())))};
}

void world::fault() {
  const std::size_t kind = chance_.below(16);
  if ((fault_kinds_ >> kind & 1) == 0) return;
  if (plain_ && (kind == 11 || kind == 12)) return;  // plain values come back with a server that goes back in time
  const bool happened = kind < 6 ? fault_of_process(kind, *processes_[chance_.below(processes_.size())])
                                 : fault_of_server(kind);
  if (!happened) return;
  for (auto& since : faults_since_kept_) since |= 1U << kind;
  look_at_rights({});
}

/// Whether anything happened.
bool world::fault_of_process(std::size_t kind, process& one) {
  sim_link& link = *one.link;
  switch (kind) {
    case 0:
      if (!link.connected() || paused(one)) return false;
      note("process {}: loses its connection", one.id);
      if (one.cache->size() != 0 && tagged_[0] != 0) ++seen_["entries with tags outlived their connection"];
      link.lose();
      return true;
    case 1:
      note("process {}: hears nothing", one.id);
      link.stalled_until = some_time();
      return true;
    case 2:
      note("process {}: is stopped", one.id);
      one.paused_until = some_time();
      return true;
    case 3:
      if (one.inside || !chance_.one_in(3)) return false;
      note("process {}: is killed", one.id);
      add_counters(one);
      end(one);
      one.paused_until = {};
      start(one);
      return true;
    case 4:
      note("process {}: is cut off", one.id);
      link.down_until = some_time();
      if (link.connected() && !paused(one)) link.lose();
      return true;
    default: {
      if (paused(one)) return false;
      const int key = static_cast<int>(chance_.below(keys));
      if (chance_.one_in(3)) {
        note("process {}: invalidates everything for no reason", one.id);
        one.cache->begin_invalidate_tag(0, [] {});
      } else {
        note("process {}: invalidates key {} for no reason", one.id, key);
        one.cache->begin_invalidate(key, one.cache->hash_of(key), [](bool) {});
      }
      return true;
    }
  }
}

/// Whether anything happened.
bool world::fault_of_server(std::size_t kind) {
  switch (kind) {
    case 6:
      if (!chance_.one_in(4)) return false;
      note("FLUSHALL");
      primary().flush_all();
      return true;
    case 7:
      note("SCRIPT FLUSH");
      primary().flush_scripts();
      return true;
    case 8:
      note("the server is out of memory");
      primary().out_of_memory = true;
      return true;
    case 9:
    case 10: return evict();
    case 11:
      if (!chance_.one_in(3)) return false;
      fail_over();
      if (chance_.one_in(3)) fail_over();  // and back, before anybody has seen it
      return true;
    case 12:
      if (!chance_.one_in(3)) return false;
      note("the server starts again from an older snapshot");
      primary().start(remembered_);
      return true;
    case 13: {
      const std::int64_t jump = static_cast<std::int64_t>(chance_.below(400)) - 200;
      server_ahead_ms_ += jump;
      if (jump < 0) clock_slack_ -= jump * 1ms;
      note("the server's clock jumps");
      return true;
    }
    case 14:
      if (!primary().tell_one_for_nothing()) return false;
      note("a client is told of a key for nothing");
      return true;
    default:
      servers_down_until_ = some_time();
      note("no connection can be made");
      primary().hang_up();
      return true;
  }
}

bool world::evict() {
  if (chance_.one_in(4) && primary().evict(tag_keys_[chance_.below(tag_keys_.size())])) {
    note("the record of a tag is evicted");
    ++seen_["the record of a tag was evicted"];
    look_at_tags();
    return true;
  }
  const std::string key = primary().draw_key();
  // A value of another program that goes during a load would leave no trace: see docs/decisions/020-plain-mode.md.
  if (meets_a_lease_here(key) || !primary().evict(key)) return false;
  note("a key is evicted");
  return true;
}

/// The replica takes over with what it has; clients of the old primary are sent away, as Sentinel does.
void world::fail_over() {
  note("failover");
  primary_ = 1 - primary_;
  primary().promote();
  replica().follow(primary());
  ++seen_["a failover"];
}

}  // namespace simulation
