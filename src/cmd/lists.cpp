#include "seawall/cmd/lists.hpp"

namespace seawall::cmd {
namespace detail {

std::string_view word_of(list_end end) noexcept { return end == list_end::left ? "LEFT" : "RIGHT"; }

builder& append_count(builder& made, std::int64_t count) {
  return made.number(count).check(count > 0, "the count must be positive");
}

result<std::optional<std::int64_t>> read_inserted(resp::view reply) {
  const auto length = decode<std::int64_t>(reply);
  if (!length) return std::unexpected(length.error());
  return *length > 0 ? std::optional{*length} : std::nullopt;
}

builder& append_lpos_options(builder& made, const lpos_options& how) {
  made.check(how.rank != 0, "the rank must not be 0");
  if (how.rank != 1) made.text("RANK").number(how.rank);
  return made.option("MAXLEN", how.max_length, "max_length must not be negative");
}

}  // namespace detail

command<std::int64_t> llen(std::string_view key) { return builder{"LLEN"}.key(key); }
command<ok> ltrim(std::string_view key, std::int64_t first, std::int64_t last) {
  return builder{"LTRIM"}.key(key).number(first).number(last);
}

}  // namespace seawall::cmd
