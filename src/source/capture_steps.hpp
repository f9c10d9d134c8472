// From changed rows to what a transaction makes stale, once each. No input or output.
#pragma once

#include "pgoutput_message.hpp"
#include "seawall/base/log.hpp"
#include "seawall/source/captured_table.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace seawall::postgres {

/// By "schema.table".
using captured_tables = std::map<std::string, captured_table, std::less<>>;

/// "schema.table" of a name that may be without a schema.
std::string full_name(std::string_view table);

/// A committed transaction, or what was found of some.
struct captured_commit {
  pgoutput::lsn end = 0;
  std::uint32_t xid = 0;
  bool everything = false;  ///< Clear all mapped caches, in place of `steps`.
  std::vector<seawall::detail::capture_step> steps{};
  std::uint64_t changes = 0;
  std::uint64_t unclear = 0;
};

/// A row that was changed, of which one image may be missing.
struct changed_row {
  using columns = std::vector<seawall::detail::image_column>;
  std::string_view schema;
  std::string_view table;
  row_change what = row_change::updated;
  const columns* before = nullptr;
  const columns* after = nullptr;
};

/// Thread safety: none.
class step_collector {
 public:
  step_collector(std::size_t max_steps, log_hook log) : max_steps_(max_steps), log_(std::move(log)) {}

  bool is_open() const noexcept { return open_.has_value(); }
  void begin() { open_.emplace(); }
  /// What was collected since `begin`; nothing is open then.
  captured_commit finish();
  void reset();

  // Between begin and finish.
  captured_commit& current() noexcept { return *open_; }
  void add(const captured_table& table, const changed_row& row);
  /// All rows of the table, or those that cannot be told.
  void add_whole(const captured_table& table);
  void add_everything();

 private:
  void follow(const seawall::detail::capture_mapping& mapping, const row_image& row);
  void make_whole(const seawall::detail::capture_mapping& mapping);
  void add(const seawall::detail::capture_mapping& mapping, seawall::detail::capture_step step);
  void push(seawall::detail::capture_step step);

  const std::size_t max_steps_;
  const log_hook log_;
  std::optional<captured_commit> open_;
  std::unordered_set<std::string> items_;  // of the open transaction's steps
};

}  // namespace seawall::postgres
