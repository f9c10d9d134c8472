// From the messages of pgoutput to what each transaction makes stale. No input or output.
#pragma once

#include "pgoutput_message.hpp"
#include "seawall/base/log.hpp"
#include "seawall/source/captured_table.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace seawall::postgres {

/// By "schema.table".
using captured_tables = std::map<std::string, captured_table, std::less<>>;

/// "schema.table" of a name that may be without a schema.
std::string full_name(std::string_view table);

/// A committed transaction.
struct captured_commit {
  pgoutput::lsn end = 0;
  std::uint32_t xid = 0;
  bool everything = false;  ///< Clear all mapped caches, in place of `steps`.
  std::vector<detail::capture_step> steps{};
  std::uint64_t changes = 0;
  std::uint64_t unclear = 0;
};

/// Thread safety: none.
class change_collector {
 public:
  change_collector(const captured_tables& tables, std::size_t max_steps, log_hook log)
      : tables_(tables), max_steps_(max_steps), log_(std::move(log)) {}

  /// Takes one message: the transaction, if it ends with it. After an error the stream is not to be read on.
  result<std::optional<captured_commit>> take(std::string_view bytes);

  /// A new stream begins.
  void reset();
  bool in_transaction() const noexcept { return open_.has_value(); }

 private:
  struct known_column {
    std::string name;
    std::uint32_t type;
    bool identifies;
  };
  struct known_table {
    std::string schema;
    std::string name;
    char identity = 'd';
    std::vector<known_column> columns;
    const captured_table* mapped = nullptr;
  };
  using columns = std::vector<detail::image_column>;

  result<void> see(const pgoutput::begin& what);
  result<void> see(const pgoutput::relation& what);
  result<void> see(const pgoutput::insert& what);
  result<void> see(const pgoutput::update& what);
  result<void> see(const pgoutput::remove& what);
  result<void> see(const pgoutput::truncate& what);
  result<void> see(const pgoutput::origin& /*what*/) { return {}; }
  result<void> see(const pgoutput::type& /*what*/) { return {}; }
  result<void> see(const pgoutput::commit& what);

  result<const known_table*> table_of(std::uint32_t id) const;
  void row_changed(const known_table& table, row_change what, const columns* before, const columns* after);
  void follow(const detail::capture_mapping& mapping, const row_image& row);
  void make_whole(const detail::capture_mapping& mapping);
  void add(const detail::capture_mapping& mapping, detail::capture_step step);
  void push(detail::capture_step step);

  const captured_tables& tables_;
  const std::size_t max_steps_;
  const log_hook log_;
  std::unordered_map<std::uint32_t, known_table> relations_;
  std::optional<captured_commit> open_;
  bool ended_ = false;
  std::unordered_set<std::string> items_;  // of the open transaction's steps
};

}  // namespace seawall::postgres
