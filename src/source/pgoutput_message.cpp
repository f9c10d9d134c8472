#include "pgoutput_message.hpp"

#include "capture_reader.hpp"

#include <utility>

namespace seawall::postgres::pgoutput {
namespace {

std::int64_t time_of(field_reader& from) { return static_cast<std::int64_t>(from.number<std::uint64_t>("the time")); }

std::size_t column_count(field_reader& from) {
  const std::size_t count = from.number<std::uint16_t>("the number of columns");
  if (count > max_columns) from.wrong(fmt::format("{} columns, more than {}", count, max_columns));
  return from.good() ? count : 0;
}

image image_of(field_reader& from) {
  image made(column_count(from));
  for (cell& one : made) {
    const char kind = from.letter("the kind of a column");
    switch (kind) {
      case 'n': break;
      case 'u': one.state = cell_state::unchanged; break;
      case 't':
        one.state = cell_state::text;
        one.text = from.bytes(from.number<std::uint32_t>("the length of a column"), "a column");
        break;
      default: from.wrong(fmt::format("a column of the unknown kind {:#x}", static_cast<unsigned char>(kind)));
    }
    if (!from.good()) break;
  }
  return made;
}

before_kind before_of(field_reader& from, char kind) {
  if (kind == 'K') return before_kind::identity;
  if (kind == 'O') return before_kind::row;
  from.wrong(fmt::format("{:#x} in place of K, O or N", static_cast<unsigned char>(kind)));
  return before_kind::none;
}

void expect_new(field_reader& from) {
  const char kind = from.letter("the mark of a new row");
  if (kind != 'N') from.wrong(fmt::format("{:#x} in place of N", static_cast<unsigned char>(kind)));
}

begin begin_of(field_reader& from) {
  begin made;
  made.final = from.number<std::uint64_t>("the place");
  made.time = time_of(from);
  made.xid = from.number<std::uint32_t>("the transaction");
  return made;
}

commit commit_of(field_reader& from) {
  if (from.letter("the flags") != 0) from.wrong("unknown flags");
  commit made;
  made.at = from.number<std::uint64_t>("the place");
  made.end = from.number<std::uint64_t>("the end");
  made.time = time_of(from);
  return made;
}

relation relation_of(field_reader& from) {
  relation made;
  made.id = from.number<std::uint32_t>("the relation");
  made.schema = from.text("the schema");
  if (made.schema.empty()) made.schema = "pg_catalog";  // as the manual has it
  made.name = from.text("the name");
  made.identity = from.letter("the replica identity");
  made.columns.resize(column_count(from));
  for (column& one : made.columns) {
    one.identifies = (from.number<std::uint8_t>("the flags of a column") & 1U) != 0;
    one.name = from.text("the name of a column");
    one.type = from.number<std::uint32_t>("the type of a column");
    (void)from.number<std::uint32_t>("the modifier of a type");
    if (!from.good()) break;
  }
  return made;
}

update update_of(field_reader& from) {
  update made;
  made.relation = from.number<std::uint32_t>("the relation");
  const char kind = from.letter("the mark of a row");
  if (from.good() && kind != 'N') {
    made.known = before_of(from, kind);
    made.before = image_of(from);
    expect_new(from);
  }
  made.after = image_of(from);
  return made;
}

remove remove_of(field_reader& from) {
  remove made;
  made.relation = from.number<std::uint32_t>("the relation");
  made.known = before_of(from, from.letter("the mark of a row"));
  made.before = image_of(from);
  return made;
}

truncate truncate_of(field_reader& from) {
  truncate made;
  const std::size_t count = from.number<std::uint32_t>("the number of tables");
  const auto options = from.number<std::uint8_t>("the options");
  made.cascade = (options & 1U) != 0;
  made.restarts_identities = (options & 2U) != 0;
  if (count > from.left() / sizeof(std::uint32_t)) from.wrong(fmt::format("no room for {} tables", count));
  for (std::size_t i = 0; i != count && from.good(); ++i) {
    made.relations.push_back(from.number<std::uint32_t>("a table"));
  }
  return made;
}

message message_of(field_reader& from, char kind) {
  switch (kind) {
    case 'B': return begin_of(from);
    case 'C': return commit_of(from);
    case 'R': return relation_of(from);
    case 'U': return update_of(from);
    case 'D': return remove_of(from);
    case 'T': return truncate_of(from);
    case 'O': {
      origin made{.at = from.number<std::uint64_t>("the place"), .name = {}};
      made.name = from.text("the name");
      return made;
    }
    case 'Y': {
      type made{.id = from.number<std::uint32_t>("the type"), .schema = {}, .name = {}};
      made.schema = from.text("the schema");
      made.name = from.text("the name");
      return made;
    }
    case 'I': {
      insert made{.relation = from.number<std::uint32_t>("the relation"), .after = {}};
      expect_new(from);
      made.after = image_of(from);
      return made;
    }
    default: break;
  }
  from.wrong(fmt::format("unknown message {:#x}", static_cast<unsigned char>(kind)));
  return begin{};
}

}  // namespace

std::string text_of(lsn place) { return fmt::format("{:X}/{:X}", place >> 32U, place & 0xFFFFFFFFU); }

result<message> parse(std::string_view bytes) {
  field_reader from{"pgoutput", bytes};
  const char kind = from.letter("the kind of a message");
  if (!from.good()) return std::unexpected(from.finish().error());
  message made = message_of(from, kind);
  if (auto whole = from.finish(); !whole) return std::unexpected(std::move(whole).error());
  return made;
}

}  // namespace seawall::postgres::pgoutput
