// From the messages of pgoutput to what each transaction makes stale. No input or output.
#pragma once

#include "capture_steps.hpp"
#include "pgoutput_message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seawall::postgres {

/// Thread safety: none.
class change_collector {
 public:
  change_collector(const captured_tables& tables, std::size_t max_steps, log_hook log)
      : tables_(tables), steps_(max_steps, std::move(log)) {}

  /// Takes one message: the transaction, if it ends with it. After an error the stream is not to be read on.
  result<std::optional<captured_commit>> take(std::string_view bytes);

  /// A new stream begins.
  void reset();
  bool in_transaction() const noexcept { return steps_.is_open(); }

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
  using columns = std::vector<seawall::detail::image_column>;

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

  const captured_tables& tables_;
  std::unordered_map<std::uint32_t, known_table> relations_;
  step_collector steps_;
  bool ended_ = false;
};

}  // namespace seawall::postgres
