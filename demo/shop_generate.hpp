// Fills a new database with the rows of the web shop. Deterministic: the same size gives the same rows.
#pragma once

#include "shop_schema.hpp"

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace seawall::demo {

/// Thrown when the progress callback asks to stop.
struct generation_stopped : std::runtime_error {
  generation_stopped() : std::runtime_error("stopped") {}
};

/// Told what is being done and the share done so far, 0..1, some hundred times; answers false to stop.
using generate_progress = std::function<bool(std::string_view what, double share)>;

/// A value of a row: a number or a text, which must live until the row is added.
struct cell {
  template <std::integral T>
  cell(T value) : number(static_cast<std::int64_t>(value)) {}  // NOLINT(google-explicit-constructor): rows are lists
  cell(std::string_view value) : text(value), is_text(true) {}  // NOLINT(google-explicit-constructor)
  cell(const std::string& value) : cell(std::string_view(value)) {}  // NOLINT(google-explicit-constructor)

  std::int64_t number = 0;
  std::string_view text;
  bool is_text = false;
};

/// Takes the rows of one table.
class row_sink {
 public:
  virtual ~row_sink() = default;
  virtual void add(std::span<const cell> row) = 0;
  /// No row follows.
  virtual void finish() = 0;
};

/// A database that is filled.
class shop_filler {
 public:
  virtual ~shop_filler() = default;
  /// `kinds`: "t" for each column of texts, "i" for numbers, in their order.
  virtual std::unique_ptr<row_sink> into(std::string_view table, std::string_view kinds) = 0;
};

/// Fills the tables, which are empty. Throws generation_stopped, and what the filler throws.
void fill_shop(shop_filler& to, const shop_size& size, const generate_progress& progress);

/// Writes the whole shop into `path`, which must not exist yet. The file is marked as complete (application id and
/// schema version) only at the very end. Throws sqlite_error or generation_stopped; the caller removes what is left.
void generate_shop(const std::string& path, const shop_size& size, const generate_progress& progress);

/// The size that a complete shop was generated with.
shop_size read_shop_size(const std::string& path);

}  // namespace seawall::demo
