// The tables of the demo's web shop, their sizes, and the calendar of its orders.
#pragma once

#include <cstdint>
#include <string>

namespace seawall::demo {

/// Written into the file's header, so that no other program's database is ever taken for ours.
inline constexpr std::int64_t shop_application_id = 0x53574c31;  // "SWL1"
/// Raise it with every change of the schema or of the generator: older files are then generated anew.
inline constexpr std::int64_t shop_schema_version = 1;

/// How many rows of each.
struct shop_size {
  std::uint32_t users = 200'000;
  std::uint32_t products = 50'000;
  std::uint32_t orders = 1'200'000;
  std::uint32_t reviews = 250'000;
  std::uint32_t departments = 20;
  std::uint32_t categories = 500;
  std::uint32_t cities = 125;

  /// A share of the full shop, for tests and for small machines; every table keeps at least a few rows.
  static shop_size scaled(double share);
  /// Orders are numbered in the order of time: those of the closed year come first.
  std::uint32_t first_open_order() const { return orders / 2 + 1; }
  friend bool operator==(const shop_size&, const shop_size&) = default;
};

/// Unix times. The shop's two years: 2023 is closed (its orders never change again), 2024 is open.
struct shop_calendar {
  static constexpr std::int64_t closed_from = 1'672'531'200;  // 2023-01-01
  static constexpr std::int64_t open_from = 1'704'067'200;    // 2024-01-01
  static constexpr std::int64_t open_until = 1'735'689'600;   // 2025-01-01
};

/// The states of an order. Orders of the closed year are `delivered` or `returned`.
enum class order_status : std::uint8_t { placed, paid, shipped, delivered, returned };
inline constexpr std::uint32_t order_statuses = 5;

/// CREATE TABLE statements.
std::string shop_tables();
/// CREATE INDEX statements, to be run after the tables are filled.
std::string shop_indexes();

}  // namespace seawall::demo
