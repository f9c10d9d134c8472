// The members of core that have to do with what its servers tell: changes, tags, beats.
#include "beats.hpp"
#include "core.hpp"
#include "scripts.hpp"
#include "seawall/cmd/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace seawall::tier {
namespace {

std::string bytes_of_number(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 8; i-- > 0; number >>= 8) bytes[i] = static_cast<char>(number);
  return bytes;
}

std::uint64_t number_of_bytes(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<std::uint8_t>(byte);
  return number;
}

}  // namespace

// --- changes --------------------------------------------------------------------------------------------------------

void core::on_tracking(std::uint64_t generation) {
  bool tell_all = false;
  {
    const std::lock_guard lock{mutex_};
    tell_all = feeds_.announce(generation);
    ++totals_.connections;
  }
  if (tell_all) listeners_.all_changed();
  watch_.connected(shared_from_this(), generation);
  replay();
}

void core::on_invalidate(std::uint64_t generation, std::string_view key) {
  if (const auto slot = records_.slot_of_reign(key)) {
    const std::lock_guard lock{mutex_};
    return feeds_.recheck(generation, *slot);
  }
  if (const auto record = records_.tag_at(key)) {
    {
      const std::lock_guard lock{mutex_};
      tags_.forget(*record);
    }
    return listeners_.tag_changed(record->prefix, record->tag);
  }
  if (watch_.heard(key, clock_->now())) return;
  if (const std::size_t told = listeners_.changed(key)) count(&tier_totals::changes_told, told);
}

void core::on_loss(std::uint64_t generation, redis::tracking_loss why, std::uint16_t) {
  feeds::doubted doubt{.new_to_it = true};
  {
    const std::lock_guard lock{mutex_};
    if (why == redis::tracking_loss::disconnected) feeds_.lose(generation);
    else doubt = feeds_.doubt(generation);
    if (why == redis::tracking_loss::flushed) {
      doubt = {.new_to_it = true, .tell_all = true};
      ++totals_.flushes;
    }
    if (doubt.new_to_it) tags_.forget_told_by(generation);
  }
  if (why == redis::tracking_loss::disconnected) watch_.lost(generation);
  if (doubt.tell_all) listeners_.all_changed();
  else if (doubt.new_to_it) listeners_.tags_lost();
}

// --- tags -----------------------------------------------------------------------------------------------------------

core::tag_state core::tag(std::uint64_t connection, const tag_record& which) const {
  const std::lock_guard lock{mutex_};
  if (waits_locked(which)) return {.pending = true};
  return tag_locked(connection, tags_.find(which));
}

core::tag_state core::tag_locked(std::uint64_t connection, const tag_cache::known* known) const {
  if (!known || !feeds_.trusts(known->connection, known->slot)) return {};
  if (known->connection == connection) return {.generation = known->generation, .connection = connection};
  const auto told_until = feeds_.told_until(known->connection);
  if (!told_until || after(*told_until, how_.bound) <= clock_->now()) return {};
  return {.generation = known->generation, .connection = known->connection, .as_of = *told_until};
}

bool core::tag_due(const tag_record& which, time_point now, const std::optional<footing>& expected, bool fresh) const {
  const std::uint64_t connection = expected ? expected->generation : 0;
  const std::lock_guard lock{mutex_};
  if (waits_locked(which)) return true;
  const tag_cache::known* const known = tags_.find(which);
  const tag_state state = tag_locked(connection, known);
  if (!state.generation || (fresh && state.connection != connection)) return true;
  return known->due(now);
}

std::optional<std::uint64_t> core::learn_tag(std::uint64_t connection, const tag_record& which, slot_number slot,
                                             resp::view reply) {
  const std::string_view bytes = reply.text();
  if (bytes.size() != 8) return std::nullopt;
  const time_point now = clock_->now();
  std::uint64_t generation = number_of_bytes(bytes);
  const std::lock_guard lock{mutex_};
  if (!feeds_.trusts(connection, slot)) return std::nullopt;
  // Entries with the tag lie on other servers, which do not know when the one of its record goes back in time.
  if (records_.divided()) generation ^= mix64(feeds_.last_reign(slot).value_or(0));
  if (feeds_.tells(connection)) {
    tags_.learn(which, {.generation = generation, .connection = connection, .slot = slot, .learned = now});
  }
  return generation;
}

void core::tags_changed(std::span<const std::string> keys) {
  const std::lock_guard lock{mutex_};
  for (const std::string& key : keys) {
    if (const auto record = records_.tag_at(key)) tags_.forget(*record);
  }
}

std::string core::new_generation() { return bytes_of_number(random_.next()); }

const tier_proof* core::prove(std::span<const std::uint64_t> connections) {
  proofs::taken taken;
  {
    const std::lock_guard lock{mutex_};
    taken = feeds_.prove(connections);
  }
  if (!taken.tell_all) return taken.proof;
  listeners_.all_changed();
  const std::lock_guard lock{mutex_};
  return feeds_.prove(connections).proof;
}

const tier_proof* core::prove_entry(const footing& on, std::string_view key, std::span<const tag_stamp> tags) {
  if (!records_.divided()) return on.proof;
  const std::string_view prefix = listeners_.prefix_of(key);
  std::vector<std::uint64_t> connections{on.generation};
  {
    const std::lock_guard lock{mutex_};
    for (const tag_stamp& stamp : tags) {
      const tag_cache::known* const known = tags_.find(records_.tag_of(prefix, stamp.tag, key));
      if (!known || known->generation != stamp.generation || !feeds_.trusts(known->connection, known->slot)) {
        return nullptr;
      }
      connections.push_back(known->connection);
    }
  }
  return prove(connections);
}

// --- beats ----------------------------------------------------------------------------------------------------------

cmd::any_command core::beat_command(slot_number slot) {
  // With its source: a server that is asked for the first time does not have it.
  return cmd::command<resp::value>{
      cmd::builder{"EVAL"}
          .text(beat_script().source())
          .keys_and_values(records_.reign_key(slot), bytes_of_number(random_.next()))};
}

void core::heard_beat(std::uint64_t generation, slot_number slot, time_point sent, resp::view reply) {
  const std::string_view reign = reply[0].text();
  const std::optional<std::int64_t> server_ms = reply[1].integer();
  if (reign.size() != 8 || !server_ms) {
    return missed_beat(generation, error{cmd::errc::unexpected_reply, "the answer to the tier's beat script"});
  }
  const time_point now = clock_->now();
  // The server read its clock on the way; half of it is the best guess.
  const auto on_the_way = std::chrono::duration_cast<std::chrono::milliseconds>(
      (sent + (now - sent) / 2).time_since_epoch());
  const beat_answer answer{
      .reign = number_of_bytes(reign), .ahead_ms = *server_ms - on_the_way.count(), .history = reply[2].text()};
  bool tell_all = false;
  {
    const std::lock_guard lock{mutex_};
    tell_all = feeds_.beat(generation, slot, sent, answer);
    if (tell_all && records_.divided()) tags_.forget_told_by(generation);
    missing_ = false;
  }
  if (tell_all) listeners_.all_changed();
  judge_feed(generation, sent);
}

void core::missed_beat(std::uint64_t generation, const error& why) {
  constexpr duration often_enough = std::chrono::minutes{1};
  const time_point now = clock_->now();
  feeds::doubted doubt;
  bool said = false;
  {
    const std::lock_guard lock{mutex_};
    if (why.code() == cmd::make_error_code(cmd::errc::read_only)) doubt = feeds_.doubt(generation);
    said = std::exchange(missing_, true);
    // The other servers of a cluster answer meanwhile.
    said |= records_.divided() && now < said_;
    if (!said) said_ = after(now, often_enough);
  }
  if (doubt.tell_all) listeners_.all_changed();
  if (how_.log && !said) how_.log(log_level::warning, fmt::format("shared tier: no reign: {}", why.message()));
}

// Requires: mutex_ is held.
void core::arm_heartbeat(time_point now) {
  last_used_ = std::max(last_used_, now);
  if (std::exchange(armed_, true)) return;
  timer_ = clock_->call_at(after(now, how_.heartbeat), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_heartbeat();
  });
}

// Requires: mutex_ is held. One for each connection that something was believed on: that of a primary shows no life of
// the others.
std::vector<core::pulse> core::pulses() {
  std::vector<pulse> all;
  const auto add = [&](std::uint64_t meant, slot_number slot) {
    if (std::ranges::find(beating_, meant) != beating_.end()) return;
    beating_.push_back(meant);
    all.push_back({meant, slot});
  };
  if (!records_.divided()) {
    add(0, 0);
    return all;
  }
  for (const std::uint64_t generation : feeds_.generations()) {
    if (const auto slot = feeds_.pulse(generation)) add(generation, *slot);
  }
  return all;
}

void core::on_heartbeat() {
  const std::lock_guard beating{beating_mutex_};
  if (stopped_) return;
  const time_point now = clock_->now();
  std::vector<pulse> due;
  bool alone = false;
  bool looks = false;
  {
    const std::lock_guard lock{mutex_};
    armed_ = false;
    const bool idle = after(last_used_, how_.idle) <= now && undelivered_.size() == 0;
    if (closed() || idle) return;
    const time_point last_used = last_used_;
    arm_heartbeat(now);
    last_used_ = last_used;
    due = pulses();
    alone = due.empty() && beating_.empty();
    looks = look_for_moves_ && !due.empty() && after(looked_, how_.bound / 2) <= now;
    if (looks) looked_ = now;
  }
  // A server from which a slot is taken with its keys in it says nothing, and the heartbeat is of another slot.
  if (looks) look_for_moves_();
  for (const auto& [meant, slot] : due) {
    operation::start(std::make_unique<heartbeat_call>(shared_from_this(), meant, slot));
  }
  if (alone) replay(false);
}

void core::heartbeat_ended(std::uint64_t meant, slot_number slot, bool well, duration took) {
  bool waits = false;
  {
    const std::lock_guard lock{mutex_};
    std::erase(beating_, meant);
    ++(well ? totals_.heartbeats : totals_.failed_heartbeats);
    if (well) heartbeat_time_ = took;
    waits = well && undelivered_.size() != 0;
  }
  if (waits) replay(false);
  if (well) watch_.begin_due(shared_from_this(), meant, slot);
}

}  // namespace seawall::tier
