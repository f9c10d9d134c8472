#include "capture_worker.hpp"
#include "steady_now.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seawall {
namespace {

constexpr duration least = std::chrono::milliseconds{1};

bool is_slot_name(std::string_view name) {
  return !name.empty() && name.size() <= 59 && std::ranges::all_of(name, [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
  });
}

}  // namespace

void change_capture::worker::say(log_level level, std::string_view text) const {
  if (how_.log) how_.log(level, fmt::format("change capture '{}': {}", how_.slot, text));
}

result<void> change_capture::worker::validate() const {
  const auto refuse = [](std::string_view field, std::string_view what) {
    return fail(errc::invalid_argument, fmt::format("capture_options: {} {}", field, what));
  };
  if (!is_slot_name(how_.slot)) return refuse("slot", "must be 1 to 59 lower case letters, digits and underscores");
  if (how_.publication.empty() || how_.publication.size() > 63 ||
      how_.publication.find_first_of(std::string_view{"\"'\\,\0", 5}) != std::string::npos) {
    return refuse("publication", "must be 1 to 63 bytes without quotes, backslashes and commas");
  }
  if (how_.max_lag_bytes < (1U << 20U)) return refuse("max_lag_bytes", "must be 1 MiB or more");
  if (how_.max_steps < 1) return refuse("max_steps", "must be 1 or more");
  for (const auto& [field, value] : {std::pair{"silence", how_.silence}, {"status_every", how_.status_every},
                                     {"first_retry", how_.first_retry}, {"max_retry", how_.max_retry}}) {
    if (value < least) return refuse(field, "must be 1 ms or more");
  }
  if (std::ranges::all_of(tables_, [](const auto& one) { return one.second.mappings().empty(); })) {
    return fail(errc::invalid_argument, "change_capture: no table has a mapping: capture.table(...).key(...)");
  }
  return {};
}

result<void> change_capture::worker::start() {
  const std::lock_guard lock{life_};
  if (thread_.joinable()) return {};
  if (auto valid = validate(); !valid) return valid;
  auto made = postgres::settings_of({.url = how_.url, .connect_timeout = how_.connect_timeout,
                                     .statement_timeout = how_.statement_timeout,
                                     .application_name = "seawall change capture"});
  if (!made) return std::unexpected(std::move(made).error());
  stopping_ = false;
  wake_.lower();
  server_ = std::make_unique<postgres::capture_server>(*made, how_);
  link_ = std::make_unique<postgres::replication_link>(*made, wake_);
  collector_ = std::make_unique<postgres::change_collector>(tables_, how_.max_steps, how_.log);
  temporary_ = false;
  if (auto ready = prepare(false); !ready) {
    const bool waits = sql::is(ready.error(), sql::errc::locked);
    failed(ready.error());
    if (!waits) return std::unexpected(std::move(ready).error());
  }
  thread_ = std::thread{[this] { work(); }};
  return {};
}

void change_capture::worker::stop() {
  const std::lock_guard lock{life_};
  stopping_ = true;
  wake_.raise();
  if (thread_.joinable()) thread_.join();
  link_.reset();
  server_.reset();
}

result<void> change_capture::worker::drop_slot() {
  stop();
  auto made = postgres::settings_of({.url = how_.url, .connect_timeout = how_.connect_timeout,
                                     .statement_timeout = how_.statement_timeout});
  if (!made) return std::unexpected(std::move(made).error());
  postgres::capture_server server{*made, how_};
  wake_.lower();
  postgres::replication_link idle{*made, wake_};
  // The server takes a moment to notice that its reader has gone.
  const time_point end = after(source::steady_now(), std::chrono::seconds{5});
  auto done = server.drop_slot();
  while (!done && source::steady_now() < end) {
    idle.wait(std::chrono::milliseconds{20});
    done = server.drop_slot();
  }
  return done;
}

void change_capture::worker::work() {
  duration wait = how_.first_retry;
  while (!stopping_) {
    result<void> ended{};
    if (!link_->is_open()) {
      auto ready = prepare(true);
      if (!ready) ended = std::unexpected(std::move(ready).error());
    }
    if (ended) {
      wait = how_.first_retry;
      ended = stream();
    }
    link_->close();
    {
      const std::lock_guard lock{figures_};
      stats_.streaming = false;
    }
    if (stopping_) break;
    if (!ended) failed(ended.error());
    link_->wait(wait);
    wait = std::min<duration>(2 * wait, std::max(how_.first_retry, how_.max_retry));
  }
}

void change_capture::worker::failed(const error& why) {
  temporary_ = false;
  server_->disconnect();
  {
    const std::lock_guard lock{figures_};
    ++stats_.failures;
    stats_.problem = why.message();
  }
  say(log_level::warning, why.message());
}

// Up to an open stream. Not patient: false if the shared tier has not yet heard that all caches were cleared.
result<bool> change_capture::worker::prepare(bool patient) {
  if (!temporary_) {
    auto changed = server_->check(tables_);
    if (!changed) return changed;
    anew_ = anew_ || *changed;
    auto slot = server_->slot();
    if (!slot) return std::unexpected(std::move(slot).error());
    using state = postgres::capture_server::slot_state;
    if (slot->state == state::lost || (slot->state == state::good && anew_)) {
      say(log_level::warning, slot->state == state::lost ? "the server has removed what the slot had to keep"
                                                         : "the slot is given up");
      if (auto dropped = server_->drop_slot(); !dropped) return std::unexpected(std::move(dropped).error());
      slot->state = state::none;
    }
    anew_ = false;
    confirmed_ = slot->confirmed;
    if (slot->state == state::good) temporary_ = false;
    else if (auto made = make_slot(patient); !made || !*made) return made;
  } else if (auto made = make_slot(patient); !made || !*made) {
    return made;
  }
  auto opened = link_->open(how_.slot, how_.publication);
  if (!opened) return std::unexpected(std::move(opened).error());
  return true;
}

result<bool> change_capture::worker::make_slot(bool patient) {
  if (!temporary_) {
    if (auto made = server_->make_temporary(); !made) return std::unexpected(std::move(made).error());
    clear_all();
    temporary_ = true;
  }
  if (!delivered()) {
    if (!patient) return false;
    if (auto heard = await_delivery(); !heard) return std::unexpected(std::move(heard).error());
  }
  if (auto kept = server_->keep_temporary(); !kept) return std::unexpected(std::move(kept).error());
  temporary_ = false;
  auto slot = server_->slot();
  if (!slot) return std::unexpected(std::move(slot).error());
  confirmed_ = slot->confirmed;
  const std::lock_guard lock{figures_};
  ++stats_.slots;
  return true;
}

// The slot that is to be keeps the server's log, too, and is bounded as the other is.
result<void> change_capture::worker::await_delivery() {
  auto begun = server_->look();
  time_point next_look = after(source::steady_now(), how_.status_every);
  while (begun && !delivered()) {
    link_->wait(std::chrono::milliseconds{5});
    if (stopping_) return fail(errc::cancelled);
    if (source::steady_now() < next_look) continue;
    next_look = after(source::steady_now(), how_.status_every);
    auto here = server_->look();
    if (!here) return std::unexpected(std::move(here).error());
    if (here->end - begun->end > how_.max_lag_bytes) {
      return sql::fail(sql::errc::full, "the shared tier does not hear, and the server keeps more than max_lag_bytes");
    }
  }
  if (!begun) return std::unexpected(std::move(begun).error());
  return {};
}

bool change_capture::worker::delivered() const {
  try {
    return !how_.delivered || how_.delivered();
  } catch (...) {
    return false;
  }
}

void change_capture::worker::clear_all() {
  for (const auto& [name, table] : tables_) {
    for (const auto& mapping : table.mappings()) {
      try {
        mapping.whole();
      } catch (...) {
        say(log_level::error, fmt::format("the cache '{}' could not be cleared: {}", mapping.cache,
                                          detail::current_failure().message()));
      }
    }
  }
  say(log_level::info, "all mapped caches are cleared");
  const std::lock_guard lock{figures_};
  ++stats_.cleared_all;
}

capture_stats change_capture::worker::stats() const {
  const std::lock_guard lock{figures_};
  return stats_;
}

capture_lag change_capture::worker::lag() const {
  const std::lock_guard lock{figures_};
  return {.bytes = behind_, .oldest = oldest_ == never ? duration::zero() : source::steady_now() - oldest_};
}

}  // namespace seawall
