// The SQL of a queue, and of the triggers that fill it: texts, without a connection.
#pragma once

#include "seawall/source/captured_table.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::postgres {

/// A name as SQL has it, in double quotes; a text, in single ones.
std::string quoted_name(std::string_view name);
std::string quoted_text(std::string_view text);
/// Of "schema.table".
std::string quoted_table(std::string_view full);

/// What a queue is called, and what goes into the texts.
struct queue_names {
  std::string schema;  ///< Of the queue and the functions.
  std::string prefix;  ///< seawall_capture_<slot>: the queue, the triggers, the channel. At most 52 bytes.
  /// How the functions write times, by the name of the setting.
  std::vector<std::pair<std::string, std::string>> formats{};

  std::string queue() const { return quoted_name(schema) + '.' + quoted_name(prefix); }
  /// With its empty list of parameters.
  std::string function(std::uint64_t table) const;
  std::string on_truncate() const { return prefix + "_t"; }
};

/// The columns that the mappings of a table need; nothing if they may ask for any.
std::optional<std::vector<std::string>> needed_columns(const captured_table& table);

/// The text between AS and the end. It never fails a writer for what became of the columns: it says that the row cannot
/// be told.
std::string function_body(const queue_names& names, const std::optional<std::vector<std::string>>& columns);

std::string create_queue(const queue_names& names);
/// A row that clears all caches, in the transaction that makes up for what nobody noted.
std::string note_everything(const queue_names& names);
std::vector<std::string> create_function(const queue_names& names, std::uint64_t table, std::string_view body);
/// `replaced`: there are triggers of these names.
std::vector<std::string> create_triggers(const queue_names& names, std::uint64_t table, std::string_view full_name,
                                         bool replaced);

}  // namespace seawall::postgres
