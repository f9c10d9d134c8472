// Fills a new database file with the rows of the web shop. Deterministic: the same size gives the same rows.
#pragma once

#include "shop_schema.hpp"

#include <functional>
#include <stdexcept>
#include <string>

namespace seawall::demo {

/// Thrown when the progress callback asks to stop.
struct generation_stopped : std::runtime_error {
  generation_stopped() : std::runtime_error("stopped") {}
};

/// Told what is being done and the share done so far, 0..1, some hundred times; answers false to stop.
using generate_progress = std::function<bool(std::string_view what, double share)>;

/// Writes the whole shop into `path`, which must not exist yet. The file is marked as complete (application id and
/// schema version) only at the very end. Throws sqlite_error or generation_stopped; the caller removes what is left.
void generate_shop(const std::string& path, const shop_size& size, const generate_progress& progress);

/// The size that a complete shop was generated with.
shop_size read_shop_size(const std::string& path);

}  // namespace seawall::demo
