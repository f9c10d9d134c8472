#include "log_capture.hpp"
#include "steady_now.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seawall {
namespace {

bool is_slot_name(std::string_view name) {
  return !name.empty() && name.size() <= 59 && std::ranges::all_of(name, [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
  });
}

}  // namespace

result<void> change_capture::log_reader::validate() const {
  if (!is_slot_name(how_.slot)) return refuse("slot", "must be 1 to 59 lower case letters, digits and underscores");
  if (how_.publication.empty() || how_.publication.size() > 63 ||
      how_.publication.find_first_of(std::string_view{"\"'\\,\0", 5}) != std::string::npos) {
    return refuse("publication", "must be 1 to 63 bytes without quotes, backslashes and commas");
  }
  if (how_.max_lag_bytes < (1U << 20U)) return refuse("max_lag_bytes", "must be 1 MiB or more");
  return worker::validate();
}

void change_capture::log_reader::arrange(std::shared_ptr<postgres::settings> where) {
  server_ = std::make_unique<postgres::capture_server>(where, how_);
  link_ = std::make_unique<postgres::replication_link>(std::move(where), wake_);
  collector_ = std::make_unique<postgres::change_collector>(tables_, how_.max_steps, how_.log);
  temporary_ = false;
}

void change_capture::log_reader::close() { link_->close(); }

void change_capture::log_reader::disconnect() {
  temporary_ = false;
  server_->disconnect();
}

void change_capture::log_reader::dismiss() {
  link_.reset();
  server_.reset();
}

result<void> change_capture::log_reader::drop_slot() {
  stop();
  auto made = where();
  if (!made) return std::unexpected(std::move(made).error());
  postgres::capture_server server{*made, how_};
  wake_.lower();
  // The server takes a moment to notice that its reader has gone.
  const time_point end = after(source::steady_now(), std::chrono::seconds{5});
  auto done = server.drop_slot();
  while (!done && source::steady_now() < end) {
    wait(std::chrono::milliseconds{20});
    done = server.drop_slot();
  }
  return done;
}

result<void> change_capture::log_reader::prepare(bool patient) {
  if (link_->is_open()) return {};
  auto ready = open(patient);
  if (!ready) return std::unexpected(std::move(ready).error());
  return {};
}

// Up to an open stream. Not patient: false if the shared tier has not yet heard that all caches were cleared.
result<bool> change_capture::log_reader::open(bool patient) {
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

result<bool> change_capture::log_reader::make_slot(bool patient) {
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
result<void> change_capture::log_reader::await_delivery() {
  auto begun = server_->look();
  time_point next_look = after(source::steady_now(), how_.status_every);
  while (begun && !delivered()) {
    wait(std::chrono::milliseconds{5});
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

}  // namespace seawall
