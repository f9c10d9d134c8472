#include "queue_capture.hpp"

#include "capture_row_text.hpp"
#include "steady_now.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace seawall {
namespace {

constexpr std::size_t most_at_once = 1'000;
constexpr std::size_t most_taken = 10'000;  // what waits for the shared tier is left out of each look at the queue
constexpr duration hearing_pause = std::chrono::milliseconds{5};
constexpr duration emptying_pause = std::chrono::seconds{10};  // while it waits for its lock, writers wait behind it

bool is_queue_name(std::string_view name) {
  return !name.empty() && name.size() <= 36 && std::ranges::all_of(name, [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
  });
}

std::uint32_t type_number(std::string_view text) {
  std::uint32_t made = 0;
  std::from_chars(text.data(), text.data() + text.size(), made);
  return made;
}

// The views are of the arguments. Not what it has to be: nothing.
std::optional<postgres::changed_row::columns> columns_of(const std::vector<std::string>& names,
                                                         const std::vector<std::string>& types,
                                                         const postgres::row_fields& fields) {
  using enum detail::image_column::state;
  if (types.size() != names.size() || fields.size() != std::max<std::size_t>(names.size(), 1)) return std::nullopt;
  postgres::changed_row::columns made;
  made.reserve(names.size());
  for (std::size_t i = 0; i != names.size(); ++i) {
    made.push_back({.name = names[i], .type = type_number(types[i]), .known = fields[i] ? text : null,
                    .text = fields[i] ? std::string_view{*fields[i]} : std::string_view{}});
  }
  return made;
}

}  // namespace

result<void> change_capture::queue_reader::validate() const {
  if (!is_queue_name(how_.slot)) return refuse("slot", "must be 1 to 36 lower case letters, digits and underscores");
  if (how_.max_queue < 1) return refuse("max_queue", "must be 1 or more");
  return worker::validate();
}

void change_capture::queue_reader::arrange(std::shared_ptr<postgres::settings> where) {
  queue_ = std::make_unique<postgres::capture_queue>(std::move(where), how_);
  steps_ = std::make_unique<postgres::step_collector>(how_.max_steps, how_.log);
  ready_ = false;
}

void change_capture::queue_reader::disconnect() {
  ready_ = false;
  queue_->close();
}

result<void> change_capture::queue_reader::drop_slot() {
  stop();
  auto made = where();
  if (!made) return std::unexpected(std::move(made).error());
  postgres::capture_queue queue{*made, how_};
  wake_.lower();
  // The server takes a moment to notice that its reader has gone.
  const time_point end = after(source::steady_now(), std::chrono::seconds{5});
  while (true) {
    auto done = queue.open();
    if (done) done = queue.drop();
    if (done || source::steady_now() >= end || !sql::is(done.error(), sql::errc::locked)) return done;
    queue.close();
    wait(std::chrono::milliseconds{20});
  }
}

// Whether the shared tier has heard is asked before rows are removed, and nowhere else.
result<void> change_capture::queue_reader::prepare(bool /*patient*/) {
  if (ready_) return {};
  if (auto opened = queue_->open(); !opened) return opened;
  auto made = queue_->set_up(tables_);
  if (!made) return std::unexpected(std::move(made).error());
  {
    const std::lock_guard lock{figures_};
    stats_.slots += *made;
  }
  if (auto listens = queue_->listen(); !listens) return listens;
  taken_.clear();
  steps_->reset();
  next_look_ = time_point::min();
  if (auto first = pass(); !first) return std::unexpected(std::move(first).error());
  ready_ = true;
  return {};
}

result<void> change_capture::queue_reader::read() {
  begin_reading();
  while (!stopping_) {
    if (source::steady_now() >= next_look_) {
      if (auto looked = look(); !looked) return looked;
    }
    auto more = pass();
    if (!more) return std::unexpected(std::move(more).error());
    if (!*more) await();
  }
  // What is invalidated and delivered need not be done again.
  auto last = pass();
  if (!last) return std::unexpected(std::move(last).error());
  return {};
}

// Until there may be something to do.
void change_capture::queue_reader::await() {
  while (!stopping_ && !queue_->notified()) {
    if (!taken_.empty() && delivered()) return;
    const duration left = next_look_ - source::steady_now();
    if (left <= duration::zero()) return;
    postgres::wait_for_either(queue_->socket(), wake_, taken_.empty() ? left : std::min(left, hearing_pause));
  }
}

// Removes what is delivered, and invalidates what has come: whether there was any.
result<bool> change_capture::queue_reader::pass() {
  const bool done = !taken_.empty() && delivered();
  const std::size_t kept = done ? 0 : taken_.size();
  const std::size_t most = stopping_ ? 0 : std::min(most_at_once, most_taken - kept);
  if (!done && most == 0) return false;
  static const std::vector<std::int64_t> none;
  auto found = queue_->take(done ? taken_ : none, done ? none : taken_, most);
  if (!found) return std::unexpected(std::move(found).error());
  const std::size_t removed = done ? taken_.size() : 0;
  if (done) taken_.clear();
  for (const auto& one : *found) taken_.push_back(one.id);
  invalidate(*found);
  if (taken_.empty() && most != 0) note({.rows = 0, .bytes = lag().bytes, .oldest = {}});
  const std::lock_guard lock{figures_};
  stats_.seen += found->size();
  stats_.confirmed += removed;
  return !found->empty();
}

void change_capture::queue_reader::invalidate(const std::vector<postgres::queued_change>& all) {
  if (all.empty()) return;
  steps_->begin();
  bool anything = false;
  for (const auto& one : all) anything = collect(one) || anything;
  auto commit = steps_->finish();
  if (anything) {
    clear_all();
    commit.everything = false;
    commit.steps.clear();
  }
  apply(commit);
}

// True if anything may have changed.
bool change_capture::queue_reader::collect(const postgres::queued_change& one) {
  if (one.kind == "C") return true;
  const auto mapped = tables_.find(one.relation);
  if (mapped == tables_.end()) return false;
  const auto names = postgres::elements_of_array(one.names);
  const auto types = postgres::elements_of_array(one.types);
  const auto before = postgres::fields_of_row(one.before.value_or("()"));
  const auto after = postgres::fields_of_row(one.after.value_or("()"));
  if (one.kind == "T" || !names || !types || !before || !after) return steps_->add_whole(mapped->second), false;
  const auto old_columns = one.before ? columns_of(*names, *types, *before) : std::nullopt;
  const auto new_columns = one.after ? columns_of(*names, *types, *after) : std::nullopt;
  if (old_columns.has_value() != one.before.has_value() || new_columns.has_value() != one.after.has_value()) {
    return steps_->add_whole(mapped->second), false;
  }
  const std::string_view full = one.relation;
  const std::size_t dot = full.find('.');
  steps_->add(mapped->second, {.schema = full.substr(0, dot), .table = full.substr(dot + 1),
                               .what = one.kind == "I"   ? row_change::inserted
                                       : one.kind == "D" ? row_change::removed
                                                         : row_change::updated,
                               .before = old_columns ? &*old_columns : nullptr,
                               .after = new_columns ? &*new_columns : nullptr});
  return false;
}

result<void> change_capture::queue_reader::look() {
  auto now = queue_->look();
  if (!now) return std::unexpected(std::move(now).error());
  next_look_ = after(source::steady_now(), how_.status_every);
  note(*now);
  if (now->rows <= how_.max_queue || source::steady_now() < next_emptying_) return {};
  auto emptied = queue_->empty();
  if (emptied) {
    taken_.clear();
    say(log_level::warning, "the queue has more rows than max_queue: it is emptied, to clear all mapped caches");
    return {};
  }
  if (!sql::is(emptied.error(), sql::errc::locked)) return emptied;
  next_emptying_ = after(source::steady_now(), emptying_pause);
  say(log_level::warning, "the queue is beyond max_queue, and cannot be emptied: " + emptied.error().message());
  return {};
}

void change_capture::queue_reader::note(const postgres::capture_queue::measure& now) {
  const std::lock_guard lock{figures_};
  lag_ = {.bytes = now.bytes, .rows = now.rows, .oldest = now.oldest};
}

}  // namespace seawall
