#include "capture_steps.hpp"

#include <fmt/format.h>

#include <utility>

namespace seawall::postgres {

std::string full_name(std::string_view table) {
  return table.find('.') == std::string_view::npos ? fmt::format("public.{}", table) : std::string{table};
}

captured_commit step_collector::finish() {
  items_.clear();
  captured_commit made = *std::move(open_);
  open_.reset();
  return made;
}

void step_collector::reset() {
  open_.reset();
  items_.clear();
}

void step_collector::add_everything() {
  open_->everything = true;
  open_->steps.clear();
  items_.clear();
}

void step_collector::add_whole(const captured_table& table) {
  ++open_->changes;
  for (const auto& mapping : table.mappings()) make_whole(mapping);
}

void step_collector::add(const captured_table& table, const changed_row& row) {
  ++open_->changes;
  for (const auto& mapping : table.mappings()) {
    if (open_->everything) return;
    if (!mapping.row) {
      make_whole(mapping);
      continue;
    }
    if (row.before) follow(mapping, {row.schema, row.table, row.what, true, *row.before});
    if (row.after) follow(mapping, {row.schema, row.table, row.what, false, *row.after});
  }
}

void step_collector::follow(const seawall::detail::capture_mapping& mapping, const row_image& row) {
  std::string why;
  try {
    auto step = mapping.row(row);
    if (step && !row.missing()) {
      if (*step) add(mapping, **std::move(step));
      return;
    }
    why = row.missing() ? *row.missing() : step.error().message();
  } catch (...) {
    why = seawall::detail::current_failure().message();
  }
  ++open_->unclear;
  const std::size_t before = open_->steps.size();
  make_whole(mapping);
  // Once per transaction.
  if (log_ && open_->steps.size() != before) {
    log_(log_level::warning, fmt::format("change capture: the cache '{}' is cleared: {}", mapping.cache, why));
  }
}

void step_collector::make_whole(const seawall::detail::capture_mapping& mapping) {
  if (open_->everything || !items_.insert(fmt::format("{}!", static_cast<const void*>(&mapping))).second) return;
  push({std::nullopt, mapping.whole});
}

void step_collector::add(const seawall::detail::capture_mapping& mapping, seawall::detail::capture_step step) {
  if (open_->everything) return;
  if (step.item) {
    auto item = fmt::format("{}={}", static_cast<const void*>(&mapping), *step.item);
    if (!items_.insert(std::move(item)).second) return;
  }
  push(std::move(step));
}

void step_collector::push(seawall::detail::capture_step step) {
  open_->steps.push_back(std::move(step));
  if (open_->steps.size() <= max_steps_) return;
  add_everything();
}

}  // namespace seawall::postgres
