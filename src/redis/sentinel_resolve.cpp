#include "sentinel_resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

namespace seawall::redis {

sentinel_resolve::sentinel_resolve(std::string primary_name, const std::vector<net::address>& configured)
    : name_(std::move(primary_name)) {
  for (const auto& where : configured) {
    if (!find(where)) voters_.push_back({.where = where, .configured = true});
  }
}

sentinel_resolve::voter* sentinel_resolve::find(const net::address& where) noexcept {
  const auto at = std::ranges::find(voters_, where, &voter::where);
  return at == voters_.end() ? nullptr : &*at;
}

std::vector<net::address> sentinel_resolve::to_ask() {
  std::vector<net::address> those;
  if (state_ != state::going_on) return those;
  for (voter& one : voters_) {
    if (!std::exchange(one.asked, true)) those.push_back(one.where);
  }
  return those;
}

void sentinel_resolve::answered(const net::address& who, sentinel_answer says) {
  voter* const from = find(who);
  if (state_ != state::going_on || !from || !from->open()) return;
  from->says = std::move(says);
  decide();
}

void sentinel_resolve::failed(const net::address& who, std::string why) {
  voter* const from = find(who);
  if (state_ != state::going_on || !from || !from->open()) return;
  from->silent = why.empty() ? "no answer" : std::move(why);
  decide();
}

sentinel_resolve::tally sentinel_resolve::count() const {
  tally so_far;
  for (const voter& one : voters_) {
    // Who borrows the id of another sentinel and says something else is a voter of its own.
    const auto same = [&](const voter* other) {
      return one.says && !one.says->id.empty() && other->says->id == one.says->id &&
             other->says->primary == one.says->primary;
    };
    if (std::ranges::any_of(so_far.ballots, same)) continue;
    if (one.configured) ++so_far.configured;
    if (!one.says) continue;
    so_far.ballots.push_back(&one);
    if (one.configured) ++so_far.configured_ballots;
  }
  return so_far;
}

// Sentinels that are not configured, as the configured ones tell.
std::vector<sentinel_resolve::learned> sentinel_resolve::hearsay(const tally& so_far) const {
  std::vector<learned> told;
  for (const voter* teller : so_far.ballots) {
    if (!teller->configured) continue;
    std::vector<std::size_t> counted;
    for (const auto& [where, id] : teller->says->others) {
      const auto is_it = [&](const voter& one) {
        return one.configured && (one.where == where || (one.says && !id.empty() && one.says->id == id));
      };
      if (std::ranges::any_of(voters_, is_it)) continue;
      const auto known = [&](const learned& one) { return one.where == where || (!id.empty() && one.id == id); };
      auto at = std::ranges::find_if(told, known);
      if (at == told.end()) at = told.insert(at, {.where = where, .id = id});
      const auto index = static_cast<std::size_t>(at - told.begin());
      if (std::ranges::find(counted, index) != counted.end()) continue;
      counted.push_back(index);
      ++at->named_by;
    }
  }
  return told;
}

// Lets those vote that more than half of the configured sentinels name, as far as these can answer still.
void sentinel_resolve::admit() {
  const tally so_far = count();
  const auto open = std::ranges::count_if(voters_, [](const voter& one) { return one.configured && one.open(); });
  const std::size_t able = so_far.configured_ballots + static_cast<std::size_t>(open);
  for (const learned& one : hearsay(so_far)) {
    if (one.named_by * 2 > able && !find(one.where)) voters_.push_back({.where = one.where});
  }
}

std::size_t sentinel_resolve::total(const tally& so_far, const std::vector<learned>& told) const {
  std::size_t identities = so_far.ballots.size();
  for (const voter& one : voters_) {
    if (!one.configured || one.says) continue;
    const auto names_it = [&](const voter* teller) {
      return std::ranges::find(teller->says->others, one.where, &sentinel_answer::peer::where) !=
             teller->says->others.end();
    };
    if (std::ranges::any_of(so_far.ballots, names_it)) ++identities;
  }
  for (const learned& one : told) {
    const auto votes = [&](const voter* ballot) {
      return ballot->where == one.where || (!one.id.empty() && ballot->says->id == one.id);
    };
    if (std::ranges::none_of(so_far.ballots, votes)) ++identities;
  }
  return std::max(so_far.configured, identities);
}

// Whether more than half of so many sentinels say the same.
bool sentinel_resolve::elect(const tally& so_far, std::size_t of) {
  const std::size_t needed = of / 2 + 1;
  std::map<std::optional<net::address>, std::vector<const sentinel_answer*>> parties;
  for (const voter* ballot : so_far.ballots) parties[ballot->says->primary].push_back(&*ballot->says);
  for (const auto& [primary, members] : parties) {
    if (members.size() < needed) continue;
    if (!primary) {
      state_ = state::unknown_name;
      return true;
    }
    std::vector<std::uint64_t> epochs;
    std::map<net::address, std::size_t> replicas;
    std::size_t down = 0;
    for (const sentinel_answer* says : members) {
      epochs.push_back(says->epoch);
      if (says->down) ++down;
      for (const auto& one : says->replicas) ++replicas[one];
    }
    std::ranges::sort(epochs, std::greater{});
    found_ = {.primary = *primary, .epoch = epochs[needed - 1], .down = down * 2 > members.size(), .replicas = {}};
    for (const auto& [where, times] : replicas) {
      if (times >= needed && where != *primary) found_.replicas.push_back(where);
    }
    state_ = state::found;
    return true;
  }
  return false;
}

void sentinel_resolve::decide() {
  admit();
  const tally so_far = count();
  const auto told = hearsay(so_far);
  if (std::ranges::any_of(voters_, &voter::open)) {
    // Not before it is sure that nobody who is still to answer could change it.
    elect(so_far, total(so_far, told));
    return;
  }
  std::vector<learned> trusted;
  std::ranges::copy_if(told, std::back_inserter(trusted),
                       [&](const learned& one) { return one.named_by * 2 > so_far.configured_ballots; });
  const bool alone = so_far.configured == 1;
  if (elect(so_far, alone ? so_far.ballots.size() : total(so_far, trusted))) return;
  const auto names_one = [](const voter* ballot) { return ballot->says->primary.has_value(); };
  const bool nobody_knows = std::ranges::none_of(so_far.ballots, names_one);
  state_ = nobody_knows && !so_far.ballots.empty() ? state::unknown_name : state::undecided;
}

std::vector<net::address> sentinel_resolve::known() const {
  std::vector<net::address> all;
  all.reserve(voters_.size());
  for (const voter& one : voters_) all.push_back(one.where);
  return all;
}

std::string sentinel_resolve::account() const {
  std::string text;
  for (const voter& one : voters_) {
    const std::string who = one.where.text();
    if (!text.empty()) text += "; ";
    if (one.open()) {
      text += fmt::format("{} has not answered yet", who);
    } else if (!one.says) {
      // Errors of a connection begin with its address.
      text += one.silent.starts_with(who) ? one.silent : fmt::format("{}: {}", who, one.silent);
    } else if (!one.says->primary) {
      text += fmt::format("{} knows no primary named '{}'", who, name_);
    } else {
      text += fmt::format("{} says {} (epoch {}{})", who, one.says->primary->text(), one.says->epoch,
                          one.says->down ? ", down" : "");
    }
  }
  return text;
}

}  // namespace seawall::redis
