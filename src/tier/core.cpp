#include "core.hpp"

#include "beats.hpp"
#include "replay.hpp"
#include "scripts.hpp"
#include "seawall/cmd/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace seawall::tier {
namespace {

using std::chrono::milliseconds;

// What a failure says: whose it is, and whether calls to come will fail as well.
struct verdict {
  std::uint64_t tier_totals::*counter;
  bool of_server;   // it answered, or it should have
  bool cannot_work;
};

verdict judge(const error& failure) {
  const boost::system::error_code& code = failure.code();
  if (failure == errc::timed_out) return {&tier_totals::failures_timeout, true, true};
  if (code.category() == error_category() || code == boost::system::errc::resource_deadlock_would_occur) {
    return {&tier_totals::failures_other, false, false};
  }
  if (code.category() != cmd::error_category()) return {&tier_totals::failures_transport, true, true};
  switch (static_cast<cmd::errc>(code.value())) {
    case cmd::errc::unreachable:
    case cmd::errc::connection_lost:
    case cmd::errc::queue_full:
    case cmd::errc::too_many_redirects: return {&tier_totals::failures_transport, true, true};
    case cmd::errc::loading:
    case cmd::errc::busy:
    case cmd::errc::master_down:
    case cmd::errc::cluster_down: return {&tier_totals::failures_server, true, true};
    default: return {&tier_totals::failures_server, true, false};
  }
}

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

std::int64_t whole_ms(time_point moment) {
  return std::chrono::duration_cast<milliseconds>(moment.time_since_epoch()).count();
}

}  // namespace

core::core(tier_options how)
    : how_(std::move(how)), clock_(how_.clock ? how_.clock : make_steady_clock()),
      random_(how_.seed ? *how_.seed : entropy_seed()), token_(bytes_of(draw_nonce(random_))), feeds_(how_.bound),
      breaker_(how_.breaker, random_),
      undelivered_([this](std::string_view key) { return listeners_.prefix_of(key); }, how_.undelivered) {}

void core::use(cmd::target& where, remote_tier::find_capabilities can) {
  target_ = &where;
  can_ = std::move(can);
}

void core::close() {
  seawall::clock::timer_id timer = 0;
  {
    const std::lock_guard lock{mutex_};
    closed_.store(true, std::memory_order_release);
    timer = std::exchange(armed_, false) ? timer_ : 0;
  }
  if (timer != 0) clock_->cancel(timer);
  watch_.close();
  const std::lock_guard lock{beating_};
  stopped_ = true;
}

// --- the feed -------------------------------------------------------------------------------------------------------

void core::on_tracking(std::uint64_t generation) {
  bool tell_all = false;
  {
    const std::lock_guard lock{mutex_};
    tell_all = feeds_.announce(generation);
    ++totals_.connections;
  }
  if (tell_all) listeners_.all_changed();
  watch_.connected();
  replay();
}

void core::on_invalidate(std::uint64_t generation, std::string_view key) {
  if (key == how_.reign_key) {
    const std::lock_guard lock{mutex_};
    return feeds_.recheck(generation);
  }
  if (const auto tag = tag_of_key(key)) {
    {
      const std::lock_guard lock{mutex_};
      tags_.forget(std::string{key});
    }
    return listeners_.tag_changed(tag->first, tag->second);
  }
  if (watch_.heard(key, clock_->now())) return;
  if (const std::size_t told = listeners_.changed(key)) count(&tier_totals::changes_told, told);
}

void core::on_loss(std::uint64_t generation, redis::tracking_loss why, std::uint16_t) {
  bool tell_all = false;
  {
    const std::lock_guard lock{mutex_};
    tags_.forget_all();
    if (why == redis::tracking_loss::disconnected) {
      feeds_.lose(generation);
    } else {
      tell_all = feeds_.doubt(generation);
    }
    if (why == redis::tracking_loss::flushed) {
      tell_all = true;
      ++totals_.flushes;
    }
  }
  if (tell_all) listeners_.all_changed();
  else listeners_.tags_lost();
}

// --- calls ----------------------------------------------------------------------------------------------------------

admission core::admit(std::string_view key) {
  admission let{.now = clock_->now()};
  const std::lock_guard lock{mutex_};
  if (closed()) {
    let.refused = error{errc::closed, "the shared tier is closed"};
    ++totals_.failures_other;
  } else if (!key.empty() && undelivered_.contains(key)) {
    let.refused = error{cmd::errc::unreachable, "an invalidation of the key has not reached the server yet"};
    ++totals_.failures_other;
  } else if (let.permit = breaker_.allow(let.now); !let.permit) {
    let.refused = error{cmd::errc::unreachable, "not tried: the calls before failed (the breaker is open)"};
    ++totals_.failures_breaker;
  }
  if (!closed()) arm_heartbeat(let.now);
  return let;
}

void core::ended(breaker::permit of, const error* failure, bool hurried) {
  const time_point now = clock_->now();
  bool well = false;
  {
    const std::lock_guard lock{mutex_};
    if (!failure) {
      breaker_.succeeded(of, now);
      well = undelivered_.size() != 0;
    } else {
      const verdict said = judge(*failure);
      if (of) ++(totals_.*said.counter);  // else it was refused, and counted there
      if (!said.of_server || (hurried && *failure == errc::timed_out)) breaker_.dropped(of);
      else if (said.cannot_work) breaker_.failed(of, now);
      else breaker_.succeeded(of, now);
    }
  }
  if (well) replay();
}

std::optional<footing> core::expected(time_point now) const {
  const std::lock_guard lock{mutex_};
  return feeds_.expected(now);
}

std::optional<footing> core::stand_on(std::uint64_t generation, time_point asked) {
  const std::lock_guard lock{mutex_};
  return feeds_.stand_on(generation, asked);
}

std::optional<std::uint64_t> core::last_reign() const {
  const std::lock_guard lock{mutex_};
  return feeds_.last_reign();
}

std::int64_t core::server_now_ms(std::int64_t ahead_ms) const { return whole_ms(clock_->now()) + ahead_ms; }

std::int64_t core::ahead_ms() const {
  const std::lock_guard lock{mutex_};
  return feeds_.ahead_ms();
}

void core::count(std::uint64_t tier_totals::*field, std::uint64_t n) {
  const std::lock_guard lock{mutex_};
  totals_.*field += n;
}

tier_stats core::read_stats() const {
  const std::lock_guard lock{mutex_};
  tier_stats now{.totals = totals_,
                 .breaker = breaker_.state(),
                 .breaker_counters = breaker_.counters(),
                 .undelivered = undelivered_.size(),
                 .heartbeat_time = heartbeat_time_,
                 .server_clock_ahead = feeds_.ahead_ms()};
  now.totals.reign_changes = feeds_.reign_changes();
  now.canary_time = watch_.last_canary();
  now.slowest_canary = watch_.slowest_canary();
  now.deaf = feeds_.any_mute();
  return now;
}

counter_set core::counters() const {
  const tier_totals now = read_stats().totals;
  counter_set set{.prefix = "seawall_tier_", .label = "tier", .label_value = how_.name};
  for (const tier_total_info& one : tier_totals_table) set.counters.push_back({one.name, one.help, now.*one.field});
  return set;
}

// --- tags -----------------------------------------------------------------------------------------------------------

core::tag_state core::tag(std::uint64_t connection, const std::string& key) const {
  const std::lock_guard lock{mutex_};
  return {.generation = tags_.find(connection, key), .pending = undelivered_.contains(key)};
}

bool core::tag_due(const std::string& key, time_point now) const {
  const std::lock_guard lock{mutex_};
  return tags_.due(key, now);
}

std::optional<std::uint64_t> core::learn_tag(std::uint64_t connection, const std::string& key, resp::view reply) {
  if (reply.is_null() || reply.text().size() != 8) return std::nullopt;
  const std::uint64_t generation = number_of_bytes(reply.text());
  const time_point now = clock_->now();
  const std::lock_guard lock{mutex_};
  if (feeds_.tells(connection)) tags_.learn(connection, key, generation, now);
  return generation;
}

std::string core::new_generation() { return bytes_of_number(random_.next()); }

// --- beats ----------------------------------------------------------------------------------------------------------

// One record for one primary.
cmd::any_command core::beat_command(std::string_view, bool anew) {
  const std::string next = bytes_of_number(random_.next());
  // With its source: a server that is asked for the first time does not have it.
  return cmd::command<resp::value>{cmd::builder{"EVAL"}
                                       .text(beat_script().source())
                                       .keys_and_values(how_.reign_key, next, anew ? "anew" : "")};
}

void core::heard_beat(std::uint64_t generation, time_point sent, resp::view reply) {
  const std::string_view reign = reply[0].text();
  const std::optional<std::int64_t> server_ms = reply[1].integer();
  if (reign.size() != 8 || !server_ms) {
    return missed_beat(generation, error{cmd::errc::unexpected_reply, "the answer to the tier's beat script"});
  }
  const time_point now = clock_->now();
  // The server read its clock on the way; half of it is the best guess.
  const std::int64_t ahead = *server_ms - whole_ms(sent + (now - sent) / 2);
  bool tell_all = false;
  {
    const std::lock_guard lock{mutex_};
    tell_all = feeds_.beat(generation, sent, number_of_bytes(reign), ahead);
    missing_ = false;
  }
  if (tell_all) listeners_.all_changed();
  judge_feed(generation, sent);
}

void core::missed_beat(std::uint64_t generation, const error& why) {
  bool tell_all = false;
  bool said = false;
  {
    const std::lock_guard lock{mutex_};
    if (why.code() == cmd::make_error_code(cmd::errc::read_only)) tell_all = feeds_.doubt(generation);
    said = std::exchange(missing_, true);
  }
  if (tell_all) listeners_.all_changed();
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

void core::on_heartbeat() {
  const std::lock_guard beating{beating_};
  if (stopped_) return;
  const time_point now = clock_->now();
  bool send = false;
  {
    const std::lock_guard lock{mutex_};
    armed_ = false;
    const bool idle = after(last_used_, how_.idle) <= now && undelivered_.size() == 0;
    if (closed() || idle) return;
    const time_point last_used = last_used_;
    arm_heartbeat(now);
    last_used_ = last_used;
    send = !std::exchange(beat_under_way_, true);
  }
  if (send) operation::start(std::make_unique<heartbeat_call>(shared_from_this()));
}

void core::heartbeat_ended(bool well, duration took) {
  bool waits = false;
  {
    const std::lock_guard lock{mutex_};
    beat_under_way_ = false;
    ++(well ? totals_.heartbeats : totals_.failed_heartbeats);
    if (well) heartbeat_time_ = took;
    waits = well && undelivered_.size() != 0;
  }
  if (waits) replay();
  if (well) watch_.begin_due(shared_from_this());
}

// --- invalidations that wait ----------------------------------------------------------------------------------------

void core::undeliver(std::span<const std::string_view> keys) {
  const time_point now = clock_->now();
  const std::lock_guard lock{mutex_};
  for (const std::string_view key : keys) undelivered_.add(key);
  totals_.undelivered_keys += keys.size();
  if (!closed()) arm_heartbeat(now);  // it may have paused while the call was under way
}

void core::replay() {
  {
    const std::lock_guard lock{mutex_};
    if (closed() || replaying_ || undelivered_.size() == 0) return;
    replaying_ = true;
  }
  operation::start(std::make_unique<replay_call>(shared_from_this()));
}

std::vector<undelivered::item> core::take_undelivered() {
  constexpr std::size_t batch = 256;
  const std::lock_guard lock{mutex_};
  auto taken = undelivered_.take_batch(batch);
  if (taken.empty() || closed()) replaying_ = false;
  return closed() ? std::vector<undelivered::item>{} : taken;
}

bool core::replayed(std::span<const undelivered::item> batch, bool well) {
  const std::lock_guard lock{mutex_};
  if (well) {
    undelivered_.delivered(batch);
    totals_.replayed_keys += batch.size();
  } else {
    undelivered_.put_back(batch);
    replaying_ = false;
  }
  return well;
}

// --- bytes ----------------------------------------------------------------------------------------------------------

std::string lock_key_of(std::string_view key) {
  std::string made;
  const std::size_t open = key.find('{');
  const std::size_t close = key.find('}', open == std::string_view::npos ? 0 : open);
  const bool tagged = open != std::string_view::npos && close != std::string_view::npos && close > open + 1;
  if (tagged || key.find('}') != std::string_view::npos) return made.append(key).append(":r");
  return made.append("{").append(key).append("}:r");
}

std::string bytes_of(const tier_nonce& nonce) {
  return encode_header({.nonce = nonce}).substr(nonce_at, nonce_size);
}

std::int64_t milliseconds_of(duration length) {
  if (length == forever) return 0;
  return std::max<std::int64_t>(std::chrono::ceil<milliseconds>(length).count(), 1);
}

}  // namespace seawall::tier
