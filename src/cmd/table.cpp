#include "seawall/cmd/table.hpp"

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>

namespace seawall::cmd {
namespace {

using arguments_view = std::span<const std::string_view>;

bool is(std::string_view argument, std::string_view word) { return detail::compare_upper(argument, word) == 0; }

/// The index of `word` among the arguments from `from` on; their number if it is not there.
std::size_t find_word(arguments_view arguments, std::string_view word, std::size_t from) {
  std::size_t i = from;
  while (i < arguments.size() && !is(arguments[i], word)) ++i;
  return std::min(i, arguments.size());
}

bool has_word(arguments_view arguments, std::string_view word, std::size_t from) {
  return find_word(arguments, word, from) < arguments.size();
}

void set_keys(traits& about, std::size_t first, std::size_t count) {
  if (count == 0 || first > std::numeric_limits<std::uint8_t>::max()) {
    about.first_key = 0;
    return;
  }
  about.first_key = static_cast<std::uint8_t>(first);
  const std::size_t last = std::min<std::size_t>(first + count - 1, std::numeric_limits<std::int8_t>::max());
  about.last_key = static_cast<std::int8_t>(last);
}

/// XREAD [COUNT n] [BLOCK ms] STREAMS key ... id ...
void refine_stream_read(traits& about, arguments_view arguments) {
  const std::size_t streams = find_word(arguments, "STREAMS", 1);
  about.blocking = has_word(arguments.first(streams), "BLOCK", 1);
  if (streams < arguments.size()) set_keys(about, streams + 1, (arguments.size() - streams - 1) / 2);
}

/// A count of zero keys (EVAL script 0) names none.
void refine_counted_keys(traits& about, arguments_view arguments) {
  if (about.count_at >= arguments.size() || about.first_key < about.count_at) return;
  if (arguments[about.count_at] == "0") about.first_key = 0;
}

void refine_by_options(traits& about, arguments_view arguments) {
  const std::string_view name = arguments.front();
  const auto option = [&](std::string_view word, std::size_t from) { return has_word(arguments, word, from); };
  if (is(name, "SET")) {
    for (const char* word : {"NX", "XX", "GET", "IFEQ", "IFNE", "IFDEQ", "IFDNE"}) {
      if (option(word, 3)) about.effect = effect::write_once;
    }
  } else if (is(name, "ZADD")) {
    if (option("NX", 2) || option("XX", 2) || option("INCR", 2)) about.effect = effect::write_once;
  } else if (is(name, "HSETEX") || is(name, "MSETEX")) {
    for (const char* word : {"NX", "XX", "FNX", "FXX"}) {
      if (option(word, 2)) about.effect = effect::write_once;
    }
  } else if (is(name, "SORT") || is(name, "GEORADIUS") || is(name, "GEORADIUSBYMEMBER")) {
    if (!option("STORE", 2) && !option("STOREDIST", 2)) about.effect = effect::read;
  } else if (is(name, "XREAD") || is(name, "XREADGROUP")) {
    refine_stream_read(about, arguments);
  }
}

}  // namespace

traits traits_of_arguments(arguments_view arguments) {
  if (arguments.empty()) return {};
  const traits* known = nullptr;
  if (arguments.size() > 1) {
    // Long names are no subcommands: nothing is copied for SET with a large value.
    const std::string_view sub = arguments[1];
    if (arguments[0].size() + sub.size() < 48) known = find_traits(std::string{arguments[0]} + ' ' + std::string{sub});
  }
  if (known == nullptr) known = find_traits(arguments[0]);
  if (known == nullptr) {
    traits unknown;
    if (arguments.size() > 1) unknown.first_key = 1, unknown.last_key = 1;
    return unknown;
  }
  traits about = *known;
  if (about.count_at != 0) refine_counted_keys(about, arguments);
  refine_by_options(about, arguments);
  if (about.first_key >= arguments.size()) about.first_key = 0;
  return about;
}

}  // namespace seawall::cmd
