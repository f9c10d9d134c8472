#include "capture_triggers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace seawall::postgres {
namespace {

std::string in_marks(std::string_view text, char mark) {
  std::string made{mark};
  for (const char c : text) made.append(c == mark ? 2 : 1, c);
  return made + mark;
}

}  // namespace

std::string quoted_name(std::string_view name) { return in_marks(name, '"'); }
std::string quoted_text(std::string_view text) { return in_marks(text, '\''); }

std::string quoted_table(std::string_view full) {
  const std::size_t dot = full.find('.');
  return quoted_name(full.substr(0, dot)) + '.' + quoted_name(full.substr(dot + 1));
}

std::string queue_names::function(std::uint64_t table) const {
  return fmt::format("{}.{}()", quoted_name(schema), quoted_name(fmt::format("{}_{}", prefix, table)));
}

std::optional<std::vector<std::string>> needed_columns(const captured_table& table) {
  std::vector<std::string> all;
  for (const auto& mapping : table.mappings()) {
    if (mapping.row && mapping.columns.empty()) return std::nullopt;
    all.insert(all.end(), mapping.columns.begin(), mapping.columns.end());
  }
  std::ranges::sort(all);
  const auto twice = std::ranges::unique(all);
  all.erase(twice.begin(), twice.end());
  return all;
}

std::string function_body(const queue_names& names, const std::optional<std::vector<std::string>>& columns) {
  // The fields of `image` are in the order of `name_list`.
  std::string only;
  std::string order = "a.attnum";
  const auto image = [&](std::string_view row) {
    if (!columns) return fmt::format("{}::text", row);
    if (columns->empty()) return std::string{"'()'"};
    std::string list;
    for (const auto& one : *columns) list += fmt::format("{}{}.{}", list.empty() ? "" : ", ", row, quoted_name(one));
    return fmt::format("ROW({})::text", list);
  };
  if (columns) {
    std::vector<std::string> texts;
    for (const auto& one : *columns) texts.push_back(quoted_text(one));
    const auto list = fmt::format("ARRAY[{}]::name[]", fmt::join(texts, ", "));
    only = fmt::format(" AND a.attname = ANY ({})", list);
    order = fmt::format("array_position({}, a.attname)", list);
  }
  return fmt::format(R"(
DECLARE
  kind text := left(TG_OP, 1);
  name_list text;
  type_list text;
  old_row text;
  new_row text;
BEGIN
  IF kind <> 'T' THEN
    BEGIN
      SELECT array_agg(a.attname ORDER BY {order})::text, array_agg(a.atttypid::bigint ORDER BY {order})::text
        INTO name_list, type_list FROM pg_attribute a
        WHERE a.attrelid = TG_RELID AND a.attnum > 0 AND NOT a.attisdropped{only};
      IF kind <> 'I' THEN old_row := {before}; END IF;
      IF kind <> 'D' THEN new_row := {after}; END IF;
    EXCEPTION WHEN OTHERS THEN
      kind := 'T';
      old_row := NULL;
      new_row := NULL;
    END;
  END IF;
  INSERT INTO {queue} (relation, kind, names, types, before, after)
    VALUES (TG_ARGV[0], kind, name_list, type_list, old_row, new_row);
  PERFORM pg_notify({channel}, '');
  RETURN NULL;
END)", fmt::arg("order", order), fmt::arg("only", only), fmt::arg("before", image("OLD")),
                     fmt::arg("after", image("NEW")), fmt::arg("queue", names.queue()),
                     fmt::arg("channel", quoted_text(names.prefix)));
}

std::string create_queue(const queue_names& names) {
  // Rows live shortly: the usual share of dead ones would never be reached, or far too late.
  return fmt::format("CREATE TABLE IF NOT EXISTS {} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                     "at timestamptz NOT NULL DEFAULT clock_timestamp(), relation text NOT NULL, kind text NOT NULL, "
                     "names text, types text, before text, after text) "
                     "WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)", names.queue());
}

std::string note_everything(const queue_names& names) {
  return fmt::format("INSERT INTO {} (relation, kind) VALUES ('', 'C')", names.queue());
}

std::vector<std::string> create_function(const queue_names& names, std::uint64_t table, std::string_view body) {
  std::string settings = " SET search_path = pg_catalog, pg_temp";
  for (const auto& [name, value] : names.formats) settings += fmt::format(" SET {} = {}", name, quoted_text(value));
  std::string mark = "$seawall$";
  while (body.find(mark) != std::string_view::npos) mark.insert(1, "_");
  const std::string function = names.function(table);
  return {fmt::format("CREATE OR REPLACE FUNCTION {} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER{} AS {}{}{}",
                      function, settings, mark, body, mark),
          fmt::format("REVOKE ALL ON FUNCTION {} FROM PUBLIC", function)};
}

std::vector<std::string> create_triggers(const queue_names& names, std::uint64_t table, std::string_view full_name,
                                         bool replaced) {
  const std::string on = quoted_table(full_name);
  std::string call = names.function(table);
  call.insert(call.size() - 1, quoted_text(full_name));
  std::vector<std::string> made;
  for (const auto& [name, event] :
       {std::pair{names.prefix, "INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW"},
        std::pair{names.on_truncate(), "TRUNCATE ON {} FOR EACH STATEMENT"}}) {
    if (replaced) made.push_back(fmt::format("DROP TRIGGER IF EXISTS {} ON {}", quoted_name(name), on));
    made.push_back(fmt::format("CREATE TRIGGER {} AFTER {} EXECUTE FUNCTION {}", quoted_name(name),
                               fmt::format(fmt::runtime(event), on), call));
    // Else what a subscription of logical replication applies would not be noted.
    made.push_back(fmt::format("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}", on, quoted_name(name)));
  }
  return made;
}

}  // namespace seawall::postgres
