#include "core.hpp"

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

std::int64_t whole_ms(time_point moment) {
  return std::chrono::duration_cast<milliseconds>(moment.time_since_epoch()).count();
}

}  // namespace

core::core(tier_options how)
    : how_(std::move(how)), clock_(how_.clock ? how_.clock : make_steady_clock()),
      random_(how_.seed ? *how_.seed : entropy_seed()), token_(bytes_of(draw_nonce(random_))),
      records_(how_.reign_key), feeds_(how_.bound), breaker_(how_.breaker, random_),
      undelivered_([this](std::string_view key) { return listeners_.prefix_of(key); }, how_.undelivered) {}

void core::use(cmd::target& where, remote_tier::find_capabilities can) {
  target_ = &where;
  can_ = std::move(can);
}

void core::divide(std::function<void()> look_for_moves) {
  look_for_moves_ = std::move(look_for_moves);
  records_.divide();
  feeds_.divide(records_.slots());
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
  const std::lock_guard lock{beating_mutex_};
  stopped_ = true;
}

// --- calls ----------------------------------------------------------------------------------------------------------

admission core::admit(std::string_view key, counter counts) {
  admission let{.now = clock_->now()};
  const std::lock_guard lock{mutex_};
  if (counts) ++(totals_.*counts);
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

void core::ended(breaker::permit of, const error* failure, bool hurried, counter counts) {
  // The breaker counts by parts of its window, so a clock that is some milliseconds behind will do.
  const time_point now = failure ? clock_->now() : clock_->coarse_now();
  bool well = false;
  {
    const std::lock_guard lock{mutex_};
    if (counts) ++(totals_.*counts);
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
  if (well) replay(false);
}

std::optional<footing> core::expected(slot_number slot, time_point now) const {
  const std::lock_guard lock{mutex_};
  return feeds_.expected(slot, now);
}

std::optional<footing> core::stand_on(std::uint64_t generation, slot_number slot, time_point asked) {
  const std::lock_guard lock{mutex_};
  return feeds_.stand_on(generation, slot, asked);
}

std::optional<std::uint64_t> core::last_reign(slot_number slot) const {
  const std::lock_guard lock{mutex_};
  return feeds_.last_reign(slot);
}

std::int64_t core::server_now_ms(std::int64_t ahead_ms) const { return whole_ms(clock_->now()) + ahead_ms; }

std::int64_t core::ahead_ms(slot_number slot) const {
  const std::lock_guard lock{mutex_};
  return feeds_.ahead_ms(slot);
}

void core::count(counter field, std::uint64_t n) {
  const std::lock_guard lock{mutex_};
  totals_.*field += n;
}

auto core::counter_of(tier_read::outcome is) noexcept -> counter {
  using outcome = tier_read::outcome;
  return is == outcome::hit ? &tier_totals::hits : is == outcome::leased ? &tier_totals::leases : &tier_totals::held;
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
  now.deaf = watch_.silent();
  return now;
}

std::size_t core::owed() const {
  const std::lock_guard lock{mutex_};
  return undelivered_.size();
}

counter_set core::counters() const {
  const tier_stats now = read_stats();
  counter_set set{.prefix = "seawall_tier_", .label = "tier", .label_value = how_.name};
  for (const tier_total_info& one : tier_totals_table) {
    set.counters.push_back({one.name, one.help, now.totals.*one.field});
  }
  using std::chrono::microseconds;
  const auto count = [](duration span) { return static_cast<std::uint64_t>(span / microseconds{1}); };
  const bool open = now.breaker != breaker_state::closed;
  set.gauges = {{"undelivered", "Keys (or whole caches) whose invalidation waits for the server.", now.undelivered},
                {"breaker_open", "1: calls fail at once, as the server seems dead.", open},
                {"deaf", "1: a connection answers, and does not tell of changes.", now.deaf},
                {"last_canary_microseconds", "How long the last canary took to be told.", count(now.canary_time)},
                {"slowest_canary_microseconds", "The longest of these.", count(now.slowest_canary)},
                {"heartbeat_microseconds", "How long the last answered sign of life was on its way.",
                 count(now.heartbeat_time)}};
  return set;
}

// --- invalidations that wait ----------------------------------------------------------------------------------------

void core::undeliver(std::span<const std::string_view> keys, shared_format format) {
  const time_point now = clock_->now();
  const std::lock_guard lock{mutex_};
  for (const std::string_view key : keys) undelivered_.add(key, format == shared_format::plain);
  totals_.undelivered_keys += keys.size();
  if (!closed()) arm_heartbeat(now);  // it may have paused while the call was under way
}

// `at_once`: a server has come back.
void core::replay(bool at_once) {
  {
    const std::lock_guard lock{mutex_};
    if (closed() || replaying_ || undelivered_.size() == 0) return;
    if (!at_once && clock_->now() < replay_after_) return;
    replaying_ = true;
  }
  operation::start(std::make_unique<replay_call>(shared_from_this()));
}

std::vector<undelivered::item> core::take_undelivered() {
  constexpr std::size_t batch = 256;
  const std::lock_guard lock{mutex_};
  std::vector<undelivered::item> taken;
  if (!closed()) taken = undelivered_.take_batch(batch);
  if (taken.empty()) replaying_ = false;  // with the same lock, so that nothing that comes now is overlooked
  return taken;
}

void core::delivered(std::span<const undelivered::item> some) {
  const std::lock_guard lock{mutex_};
  undelivered_.delivered(some);
  totals_.replayed_keys += some.size();
}

void core::replay_ended(std::span<const undelivered::item> left) {
  const std::lock_guard lock{mutex_};
  replaying_ = false;
  if (left.empty()) return;
  undelivered_.put_back(left);
  // The calls that go well are those of the other servers.
  if (records_.divided()) replay_after_ = after(clock_->now(), how_.heartbeat);
}

// --- bytes ----------------------------------------------------------------------------------------------------------

duration lease_length(duration wanted) { return std::min<duration>(wanted, std::chrono::hours{24}); }

std::optional<error> too_large(const core& of, const tier_entry& entry) {
  const std::size_t most = of.options().max_payload;
  if (entry.payload.size() <= most) return std::nullopt;
  return error{errc::invalid_argument,
               fmt::format("the value takes {} bytes, at most {} are stored", entry.payload.size(), most)};
}

std::string bytes_of(const tier_nonce& nonce) {
  return encode_header({.nonce = nonce}).substr(nonce_at, nonce_size);
}

std::int64_t milliseconds_of(duration length) {
  if (length == forever) return 0;
  return std::max<std::int64_t>(std::chrono::ceil<milliseconds>(length).count(), 1);
}

}  // namespace seawall::tier
