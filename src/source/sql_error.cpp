#include "seawall/source/sql_error.hpp"

namespace seawall::sql {
namespace {

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

std::string one_line(std::string_view text, std::size_t most) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };  // in UTF-8
  std::string line;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (space && (line.empty() || line.back() == ' ')) continue;
    if (line.size() == most) {
      // A character that the end would cut goes as a whole.
      while (continues(c) && !line.empty() && continues(line.back())) line.pop_back();
      if (continues(c) && !line.empty()) line.pop_back();
      return line + "...";
    }
    line += space ? ' ' : c;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace seawall::sql
