#include "cluster_keys.hpp"

#include "seawall/resp/view.hpp"

#include <algorithm>
#include <utility>

namespace seawall::redis {
namespace {

resp::view command_of(const cmd::request& asked) { return resp::view{asked.bytes.substr(asked.keyed_at)}; }

}  // namespace

std::vector<std::uint32_t> key_places(const cmd::request& asked) {
  const cmd::traits& about = asked.traits;
  std::vector<std::uint32_t> places;
  if (about.first_key == 0) return places;
  const resp::view command = command_of(asked);
  const auto count = static_cast<std::int64_t>(command.size());
  const std::int64_t step = std::max<std::int64_t>(1, about.key_step);
  const auto add = [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t at = from; at <= std::min(to, count - 1); at += step) {
      places.push_back(static_cast<std::uint32_t>(at));
    }
  };
  if (about.count_at == 0) {
    add(about.first_key, about.last_key < 0 ? count + about.last_key : about.last_key);
    return places;
  }
  // ZUNIONSTORE destination 2 a b: a key stands before those that are counted.
  if (about.first_key < about.count_at) add(about.first_key, about.first_key);
  const std::int64_t counted = std::clamp<std::int64_t>(command[about.count_at].integer().value_or(0), 0, count);
  add(about.count_at + 1, about.count_at + counted * step);
  return places;
}

key_slots slots_of(const cmd::request& asked) {
  const cmd::traits& about = asked.traits;
  if (about.first_key == 0) return {};
  const resp::view command = command_of(asked);
  if (about.count_at == 0 && std::cmp_equal(about.last_key, about.first_key)) {
    if (command.size() <= about.first_key) return {};
    const std::string_view key = command[about.first_key].text();
    return {key_slots::kind::one, slot_of(key), key};
  }
  key_slots found;
  std::uint32_t here = 0;
  auto argument = command.begin();
  for (const std::uint32_t place : key_places(asked)) {
    for (; here != place; ++here) ++argument;
    const std::string_view key = (*argument).text();
    const slot_number slot = slot_of(key);
    if (found.what == key_slots::kind::none) {
      found = {key_slots::kind::one, slot, key};
    } else if (slot != found.slot) {
      found.what = key_slots::kind::several;
      found.other_key = key;
      return found;
    }
  }
  return found;
}

}  // namespace seawall::redis
