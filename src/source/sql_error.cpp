#include "seawall/source/sql_error.hpp"

namespace seawall::sql {
namespace {

constexpr std::size_t longest_statement = 160;

class category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "seawall.sql"; }

  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::failed: return "the database refused the statement";
      case errc::constraint: return "a constraint of the schema does not hold";
      case errc::locked: return "the database is locked";
      case errc::full: return "the database has no room left";
      case errc::read_only: return "the database can only be read";
      case errc::unreachable: return "the database cannot be reached";
      case errc::no_database: return "the file is no database";
      case errc::outcome_unknown: return "the commit may have taken place, or not";
      case errc::mapping: return "a row is not what was expected";
      case errc::argument: return "an argument cannot be sent";
      case errc::misuse: return "a call where it cannot work";
      case errc::conflict: return "another transaction was in the way";
    }
    return "unknown SQL error";
  }
};

}  // namespace

const boost::system::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

std::string shortened(std::string_view statement) {
  std::string line;
  for (const char c : statement) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (space && (line.empty() || line.back() == ' ')) continue;
    if (line.size() == longest_statement) {
      // Not in the middle of a character of UTF-8.
      while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) line.pop_back();
      return line + "...";
    }
    line += space ? ' ' : c;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace seawall::sql
