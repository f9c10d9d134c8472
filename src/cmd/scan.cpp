#include "seawall/cmd/scan.hpp"

namespace seawall::cmd {
namespace detail {

builder& append_scan(builder& made, std::uint64_t cursor, const scan_options& how) {
  made.value(cursor);
  if (how.match) made.text("MATCH").text(*how.match);
  if (how.count) made.text("COUNT").number(*how.count).check(*how.count > 0, "the count must be positive");
  return made.check(!how.type, "a type is for scan_step alone");
}

}  // namespace detail

command<scan_page<std::string>> scan_step(std::uint64_t cursor, const scan_options& how) {
  builder made{"SCAN"};
  detail::append_scan(made, cursor, {.match = how.match, .count = how.count});
  if (how.type) made.text("TYPE").text(*how.type);
  return made;
}

command<scan_page<std::string>> hscan_fields_step(std::string_view key, std::uint64_t cursor,
                                                  const scan_options& how) {
  builder made{"HSCAN"};
  return detail::append_scan(made.key(key), cursor, how).text("NOVALUES");
}

}  // namespace seawall::cmd
