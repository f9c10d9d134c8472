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
  if (kind < 6) fault_of_process(kind, *processes_[chance_.below(processes_.size())]);
  else fault_of_server(kind);
}

void world::fault_of_process(std::size_t kind, process& one) {
  sim_link& link = *one.link;
  switch (kind) {
    case 0:
      if (!link.connected() || paused(one)) return;
      note("process {}: loses its connection", one.id);
      if (one.cache->size() != 0 && tagged_[0] != 0) ++seen_["entries with tags outlived their connection"];
      return link.lose();
    case 1:
      note("process {}: hears nothing", one.id);
      link.stalled_until = some_time();
      return;
    case 2:
      note("process {}: is stopped", one.id);
      one.paused_until = some_time();
      return;
    case 3:
      if (one.inside || !chance_.one_in(3)) return;
      note("process {}: is killed", one.id);
      add_counters(one);
      end(one);
      one.paused_until = {};
      return start(one);
    case 4:
      note("process {}: is cut off", one.id);
      link.down_until = some_time();
      if (link.connected() && !paused(one)) link.lose();
      return;
    default: {
      if (paused(one)) return;
      const int key = static_cast<int>(chance_.below(keys));
      if (chance_.one_in(3)) {
        note("process {}: invalidates everything for no reason", one.id);
        return one.cache->begin_invalidate_tag(0, [] {});
      }
      note("process {}: invalidates key {} for no reason", one.id, key);
      one.cache->begin_invalidate(key, one.cache->hash_of(key), [](bool) {});
    }
  }
}

void world::fault_of_server(std::size_t kind) {
  switch (kind) {
    case 6:
      if (!chance_.one_in(4)) return;
      note("FLUSHALL");
      return primary().flush_all();
    case 7: note("SCRIPT FLUSH"); return primary().flush_scripts();
    case 8: note("the server is out of memory"); primary().out_of_memory = true; return;
    case 9:
    case 10:
      if (chance_.one_in(4) && primary().evict(tag_keys_[chance_.below(tag_keys_.size())])) {
        note("the record of a tag is evicted");
        ++seen_["the record of a tag was evicted"];
        return look_at_tags();
      }
      if (primary().evict_one()) note("a key is evicted");
      return;
    case 11:
      if (!chance_.one_in(3)) return;
      fail_over();
      if (chance_.one_in(3)) fail_over();  // and back, before anybody has seen it
      return;
    case 12:
      if (!chance_.one_in(3)) return;
      note("the server starts again from an older snapshot");
      return primary().start(remembered_);
    case 13: {
      const std::int64_t jump = static_cast<std::int64_t>(chance_.below(400)) - 200;
      server_ahead_ms_ += jump;
      if (jump < 0) clock_slack_ -= jump * 1ms;
      return note("the server's clock jumps");
    }
    case 14:
      if (primary().tell_one_for_nothing()) note("a client is told of a key for nothing");
      return;
    default:
      servers_down_until_ = some_time();
      note("no connection can be made");
      return primary().hang_up();
  }
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
