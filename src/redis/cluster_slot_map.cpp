#include "cluster_slot_map.hpp"

#include "seawall/cmd/error.hpp"
#include "seawall/resp/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

namespace seawall::redis {
namespace {

std::unexpected<error> nonsense(std::string_view what, const resp::view& where) {
  return std::unexpected(error{cmd::errc::unexpected_reply,
                               fmt::format("CLUSTER SLOTS: {}: {}", what, resp::describe(where))});
}

// A node as CLUSTER SLOTS lists it: host, port, id, metadata.
result<net::address> node_of(const resp::view& listed, const net::address& answered_by) {
  if (listed.size() < 2) return nonsense("a node without host and port", listed);
  const auto port = listed[1].integer();
  if (!port || *port < 1 || *port > 65535) return nonsense("a node's port is none", listed);
  std::string_view host = listed[0].text();
  if (host == "?") host = listed[3].find("ip").text();
  if (host.empty()) host = answered_by.host;
  return net::address{std::string{host}, static_cast<std::uint16_t>(*port)};
}

std::optional<unsigned> number_of(std::string_view digits, unsigned most) {
  unsigned number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failed != std::errc{} || end != digits.data() + digits.size() || number > most) return std::nullopt;
  return number;
}

}  // namespace

result<slot_map> slot_map::read(const resp::view& reply, const net::address& answered_by) {
  if (reply.kind() != resp::kind::array) return nonsense("the reply is no array", reply);
  slot_map made;
  std::unordered_map<net::address, std::uint16_t> index;
  for (const resp::view range : reply) {
    if (range.size() < 3) return nonsense("a range without a node", range);
    const auto first = range[0].integer();
    const auto last = range[1].integer();
    if (!first || !last || *first < 0 || *first > *last || *last >= slot_count) {
      return nonsense("a range that cannot be", range);
    }
    shard listed;
    std::size_t at = 0;
    for (const resp::view one : range) {
      if (at++ < 2) continue;
      auto node = node_of(one, answered_by);
      if (!node) return std::unexpected(node.error());
      if (at == 3) listed.primary = *std::move(node);
      else listed.replicas.push_back(*std::move(node));
    }
    if (const auto known = index.find(listed.primary); known != index.end()) {
      for (auto& replica : listed.replicas) {
        auto& all = made.shards_[known->second].replicas;
        if (std::find(all.begin(), all.end(), replica) == all.end()) all.push_back(std::move(replica));
      }
      for (auto slot = *first; slot <= *last; ++slot) {
        auto& mine = made.shard_of_[static_cast<std::size_t>(slot)];
        if (mine == nobody) mine = known->second;
      }
      continue;
    }
    if (made.shards_.size() == slot_count) return nonsense("more primaries than slots", range);
    const auto number = static_cast<std::uint16_t>(made.shards_.size());
    index.emplace(listed.primary, number);
    made.shards_.push_back(std::move(listed));
    for (auto slot = *first; slot <= *last; ++slot) {
      auto& mine = made.shard_of_[static_cast<std::size_t>(slot)];
      if (mine == nobody) mine = number;
    }
  }
  return made;
}

std::size_t slot_map::covered() const noexcept {
  return static_cast<std::size_t>(slot_count - std::count(shard_of_.begin(), shard_of_.end(), nobody));
}

std::uint16_t slot_map::shard_with(const net::address& primary) {
  const auto found = std::find_if(shards_.begin(), shards_.end(), [&](const shard& s) { return s.primary == primary; });
  const auto index = static_cast<std::uint16_t>(found - shards_.begin());
  if (found == shards_.end()) shards_.push_back({primary});
  return index;
}

std::optional<std::uint16_t> slot_map::move(slot_number slot, const net::address& to) {
  const std::uint16_t before = shard_of_[slot];
  if (before != nobody && shards_[before].primary == to) return std::nullopt;
  // A map of so many shards is replaced soon; until then its redirections are followed one by one.
  if (shards_.size() < nobody - 1) shard_of_[slot] = shard_with(to);
  if (before == nobody) return std::nullopt;
  return before;
}

void slot_map::for_each_lost(const slot_map& newer, const std::function<void(slot_number)>& each) const {
  for (slot_number slot = 0; slot < slot_count; ++slot) {
    const net::address* const before = owner(slot);
    if (!before) continue;
    const net::address* const now = newer.owner(slot);
    if (!now || *now != *before) each(slot);
  }
}

std::optional<redirection> read_redirection(std::string_view error_text, const net::address& said_by) {
  const auto space = error_text.find(' ');
  const auto second = space == error_text.npos ? space : error_text.find(' ', space + 1);
  if (second == error_text.npos) return std::nullopt;
  const auto slot = number_of(error_text.substr(space + 1, second - space - 1), slot_count - 1);
  std::string_view where = error_text.substr(second + 1);
  where = where.substr(0, where.find(' '));
  // The last colon: an IPv6 address is written without brackets.
  const auto colon = where.rfind(':');
  if (!slot || colon == where.npos) return std::nullopt;
  const auto port = number_of(where.substr(colon + 1), 65535);
  if (!port || *port == 0) return std::nullopt;
  std::string_view host = where.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "?") host = said_by.host;
  return redirection{static_cast<slot_number>(*slot), {std::string{host}, static_cast<std::uint16_t>(*port)}};
}

}  // namespace seawall::redis
