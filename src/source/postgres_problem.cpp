#include "postgres_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace seawall::postgres {
namespace {

std::string_view field(const PGresult* of, int code) {
  const char* text = PQresultErrorField(of, code);
  return text ? std::string_view{text} : std::string_view{};
}

struct kind {
  std::string_view state;  // SQLSTATE, or how it begins
  boost::system::error_code code;
  std::string_view way_out;
};

// The first that fits. Appendix A of PostgreSQL's manual has the states.
const std::array<kind, 21>& kinds() {
  using enum sql::errc;
  static const std::array<kind, 21> all{{
      {"23", constraint, ""},
      {"40", conflict, "; nothing of the transaction was kept: run it again"},
      {"25006", read_only, "; a standby, or a transaction that was declared so: write to the primary"},
      {"25P02", failed, "; an earlier failure has ended the transaction: use savepoints for what may fail"},
      {"55006", locked, "; it is in use: if it is a slot, another capture has it, this one waits"},
      {"55P03", locked, "; shorter transactions, or a longer lock_timeout"},
      {"57014", seawall::errc::timed_out, "; an index, less at a time, or a longer statement_timeout"},
      {"53100", full, "; free some space: nothing of the transaction was kept"},
      {"53300", unreachable, "; fewer writers and readers, or more max_connections"},
      {"53", full, ""},
      {"57P", unreachable, "; it shuts down or starts: try again"},
      {"08", unreachable, ""},
      {"42P01", failed, "; is the table made, and its schema in the search_path?"},
      {"42883", failed, "; is the function there, or does an argument need a cast?"},
      {"42501", failed, "; GRANT the user what it needs"},
      {"42P18", failed, "; say the type of the parameter: $1::text"},
      {"42P08", failed, "; say the type of the parameter: $1::text"},
      {"22021", argument, "; texts must be UTF-8: use bytes and bytea for others"},
      {"22P02", argument, "; an argument does not have the form of its parameter's type"},
      {"22P03", argument, "; bytes are only for parameters of the type bytea"},
      {"", failed, ""},
  }};
  return all;
}

const kind& kind_of(std::string_view state) {
  return *std::ranges::find_if(kinds(), [&](const kind& one) { return state.starts_with(one.state); });
}

// Where the server has found the error: a position counts characters, from 1.
std::string_view place_in(std::string_view statement, std::string_view position) {
  std::size_t left = 0;
  const auto [end, code] = std::from_chars(position.data(), position.data() + position.size(), left);
  if (code != std::errc{} || left == 0) return {};
  const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  for (std::size_t i = 0; i != statement.size(); ++i) {
    if (starts(statement[i]) && --left == 0) {
      const std::string_view rest = statement.substr(i);
      return rest.substr(0, std::min(rest.find_first_of(" \t\r\n,;()"), std::size_t{40}));
    }
  }
  return {};
}

}  // namespace

error problem_of(const PGresult* answer, std::string_view statement, std::string_view where) {
  const std::string_view state = field(answer, PG_DIAG_SQLSTATE);
  const kind& what = kind_of(state);
  std::string_view primary = field(answer, PG_DIAG_MESSAGE_PRIMARY);
  if (primary.empty()) primary = PQresultErrorMessage(answer);
  std::string text = fmt::format("{}: {}", where, sql::one_line(primary));
  if (!state.empty()) text += fmt::format(" [{}]", state);
  if (const auto place = place_in(statement, field(answer, PG_DIAG_STATEMENT_POSITION)); !place.empty()) {
    text += fmt::format(" at \"{}\"", place);
  }
  if (const auto detail = field(answer, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) text += "; " + sql::one_line(detail);
  if (const auto hint = field(answer, PG_DIAG_MESSAGE_HINT); !hint.empty()) text += "; " + sql::one_line(hint);
  text += what.way_out;
  if (!statement.empty()) text += fmt::format(" (\"{}\")", sql::shortened(statement));
  return {what.code, std::move(text)};
}

error connect_problem(std::string_view said, std::string_view where) {
  struct advice {
    std::string_view word;
    std::string_view way_out;
  };
  // libpq has only texts here; in another language of the server there is no advice.
  static constexpr std::array<advice, 9> known{{
      {"not in hot standby mode", "; it is a primary: name a standby"},
      {"standby mode", "; name the primary, too (of several hosts it is found), read this one by open_replica, or add "
                       "target_session_attrs=any"},
      {"certificate", "; sslrootcert names the authority's certificate, and the host must be the one in the server's"},
      {"password", "; check user and password, and the server's pg_hba.conf"},
      {"pg_hba.conf", "; the server's pg_hba.conf has no line for this user, database and address"},
      {"too many", "; fewer writers and readers, or more max_connections"},
      {"remaining connection slots", "; fewer writers and readers, or more max_connections"},
      {"starting up", "; try again"},
      {"does not exist", "; create it, or correct the url"},
  }};
  std::string text = fmt::format("{}: {}", where, sql::one_line(said));
  for (const advice& one : known) {
    if (said.find(one.word) == std::string_view::npos) continue;
    text += one.way_out;
    break;
  }
  return {sql::make_error_code(sql::errc::unreachable), std::move(text)};
}

error lost_problem(sql::errc code, std::string_view said, std::string_view statement, std::string_view where) {
  std::string text = fmt::format("{}: {}", where, said.empty() ? "the connection was lost" : sql::one_line(said));
  if (code == sql::errc::outcome_unknown) text += "; it may have taken place, or not";
  if (!statement.empty()) text += fmt::format(" (\"{}\")", sql::shortened(statement));
  return {sql::make_error_code(code), std::move(text)};
}

bool prepared_in_vain(const PGresult* answer) {
  const std::string_view state = field(answer, PG_DIAG_SQLSTATE);
  if (state == "26000") return true;  // DISCARD ALL, or a pooler that has changed the server's connection
  return state == "0A000" && field(answer, PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery";
}

}  // namespace seawall::postgres
