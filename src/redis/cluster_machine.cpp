#include "cluster_machine.hpp"

#include "retry.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/net/connector.hpp"
#include "seawall/resp/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seawall::redis {
namespace {

constexpr duration first_pause = std::chrono::milliseconds{5};
constexpr duration longest_pause = std::chrono::milliseconds{200};
constexpr duration sweep_pause = std::chrono::milliseconds{100};
// So many redirections are followed at once; servers that send a request to and fro get time to agree.
constexpr std::uint32_t hasty_redirects = 4;

// book.extra: redirections below, pauses above.
constexpr std::uint32_t one_pause = 0x10000;
std::uint32_t redirects_of(const request& asked) { return asked.book.extra & 0xffff; }
std::uint32_t pauses_of(const request& asked) { return asked.book.extra >> 16; }

// Asking again will not help before somebody changes the servers or the options.
bool is_refusal(const error& why) {
  const auto& code = why.code();
  return code == cmd::errc::wrong_pass || code == cmd::errc::no_auth || code == cmd::errc::no_permission ||
         code == cmd::errc::no_proto || code == net::connect_errc::tls_name_mismatch ||
         code == net::connect_errc::tls_untrusted || code == resp::errc::protocol ||
         why.message().find("cluster support disabled") != std::string::npos;
}

}  // namespace

cluster_machine::cluster_machine(cluster_host& host, const seawall::clock& clock, random_source& random,
                                 stats_counters& counters, settings how)
    : host_(host), clock_(clock), random_(random), counters_(counters), how_(std::move(how)),
      refresh_(random, how_.pacing) {}

// --- where to --------------------------------------------------------------------------------------------------------

void cluster_machine::route(request& asked) {
  if (knows_map()) return choose(asked).submit(asked, false);
  want_map();
  if (hopeless_) return host_.end(asked, *hopeless_);
  host_.wait_for_map(asked);
}

cluster_server& cluster_machine::choose(const request& asked) {
  if ((asked.book.flags & keyed) == 0) return any_primary();
  const std::uint16_t index = map_.shard_of(asked.book.slot);
  // Some server will say where the slot is, or that it is nowhere.
  if (index == slot_map::nobody) return any_primary();
  const shard& here = shards_[index];
  if (how_.read_replicas && asked.traits.effect == cmd::effect::read && asked.replies == 1 &&
      (asked.book.flags & primary_only) == 0) {
    // The same replica for a slot as long as it is up: reads of a key do not go back in time.
    for (std::size_t i = 0; i < here.replicas.size(); ++i) {
      cluster_server* const one = here.replicas[(asked.book.slot + i) % here.replicas.size()];
      if (!one->down_) return *one;
    }
  }
  return *here.primary;
}

cluster_server& cluster_machine::any_primary() {
  const std::size_t begin = random_.next() % shards_.size();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    cluster_server* const one = shards_[(begin + i) % shards_.size()].primary;
    if (!one->down_) return *one;
  }
  return *shards_[begin].primary;
}

cluster_server* cluster_machine::find(const net::address& at) const noexcept {
  const auto here = servers_.find(at);
  return here == servers_.end() ? nullptr : here->second.get();
}

cluster_server& cluster_machine::server_for(const net::address& at) {
  auto& here = servers_[at];
  if (!here) here = host_.make_server(at);
  if (std::exchange(here->retired_, false)) --retired_;
  return *here;
}

cluster_server* cluster_machine::primary_of(slot_number slot) const noexcept {
  const std::uint16_t index = map_.shard_of(slot);
  return index == slot_map::nobody ? nullptr : shards_[index].primary;
}

std::vector<cluster_server*> cluster_machine::primaries() const {
  std::vector<cluster_server*> all;
  all.reserve(shards_.size());
  for (const shard& one : shards_) all.push_back(one.primary);
  return all;
}

// --- refusals --------------------------------------------------------------------------------------------------------

bool cluster_machine::refused(cluster_server& from, request& asked, std::string_view text) {
  switch (const cmd::errc code = cmd::classify(text); remedy_for(code)) {
    case remedy::none: return false;
    case remedy::moved: return redirected(from, asked, text, false);
    case remedy::ask: return redirected(from, asked, text, true);
    case remedy::later: return later(from, asked, text, code != cmd::errc::try_again);
    case remedy::elsewhere:
    case remedy::cluster: return later(from, asked, text, true);
  }
  return false;
}

bool cluster_machine::redirected(cluster_server& from, request& asked, std::string_view text, bool ask) {
  const auto where = read_redirection(text, from.address());
  if (!where) return false;
  if (asked.replies > 1 && (asked.book.flags & keyed) != 0 && where->slot != asked.book.slot) {
    host_.end(asked, error{cmd::errc::cross_slot,
                           fmt::format("the keys of a transaction must lie in one slot of the cluster, and these lie "
                                       "in {} and {}; a common hash tag, as in {{user:1}}:name, holds keys together",
                                       asked.book.slot, where->slot)});
    return true;
  }
  counters_.redirects.add();
  trail_.note(asked, asked.book.extra++ == 0, from.address(), text);
  const bool too_many = redirects_of(asked) > static_cast<std::uint32_t>(how_.max_redirects);
  asked.book.flags |= keyed | primary_only;
  asked.book.slot = where->slot;
  cluster_server& to = server_for(where->to);
  if (!ask) {
    learn(where->slot, to);
    refresh_.prefer(from.address());
    want_map();
  }
  if (too_many) {
    host_.end(asked, error{cmd::errc::too_many_redirects,
                           fmt::format("redirected more than {} times (max_redirects): {}", how_.max_redirects,
                                       trail_.of(asked))});
    return true;
  }
  if (&to == &from) {
    // Its name leads to another server by now, or it does not know itself yet.
    from.reconnect(error{cmd::errc::moved, fmt::format("{}: redirects to itself ({})", from.address().text(), text)});
    pause(asked);
  } else if (redirects_of(asked) > hasty_redirects) {
    pause(asked);
  } else {
    to.submit(asked, ask);
  }
  return true;
}

bool cluster_machine::later(cluster_server& from, request& asked, std::string_view text, bool refresh) {
  trail_.note(asked, asked.book.extra == 0, from.address(), text);
  counters_.retries.add();
  if (refresh) want_map();
  const bool by_replica = primary_of(asked.book.slot) != &from && (asked.book.flags & (keyed | primary_only)) == keyed;
  if (by_replica && how_.read_replicas) {
    asked.book.flags |= primary_only;
    asked.book.extra += one_pause;
    route(asked);
    return true;
  }
  // A slot that is half moved sends its requests to and fro until it is moved; only the deadline ends that.
  if (!refresh) asked.book.extra &= ~(one_pause - 1);
  pause(asked);
  return true;
}

void cluster_machine::pause(request& asked) {
  const std::uint32_t times = std::min(pauses_of(asked), 16U);
  if (pauses_of(asked) < 0xffff) asked.book.extra += one_pause;
  const duration whole = std::min(longest_pause, first_pause * (1 << times));
  const duration part{static_cast<duration::rep>(static_cast<double>(whole.count()) * random_.uniform() / 2)};
  host_.park(asked, after(clock_.now(), whole - part));
}

error cluster_machine::why_paused(const request& asked) const {
  const std::string_view trail = trail_.of(asked);
  return {errc::timed_out, fmt::format("the cluster did not serve slot {} in time: {}", asked.book.slot,
                                       trail.empty() ? "its servers refused" : trail)};
}

// --- servers come and go ---------------------------------------------------------------------------------------------

void cluster_machine::down(cluster_server& who, const error& why) {
  if (closed_) return;
  who.down_ = true;
  if (asked_ == &who) {
    host_.forget_question();
    slots_failed(why);
  }
  if (!knows_map()) return;
  want_map();
  reroute(who);
}

void cluster_machine::ready(cluster_server& who) { who.down_ = false; }

void cluster_machine::timed_out(cluster_server&) {
  if (knows_map()) want_map();
}

// What waits there goes where it would go now, which may be the same place.
void cluster_machine::reroute(cluster_server& from) {
  for (request* one : from.take_waiting()) {
    if (!is_bound(*one)) {
      route(*one);
    } else if (!from.retired_) {
      from.submit(*one, false);
    } else {
      host_.end(*one, error{cmd::errc::unreachable, from.address().text() + ": the server left the cluster"});
    }
  }
}

void cluster_machine::close(const error& why) {
  closed_ = true;
  if (std::exchange(asked_, nullptr)) host_.forget_question();
  host_.fail_waiting(why);
  for (const auto& [address, server] : servers_) server->close(why);
}

void cluster_machine::sweep() {
  if (retired_ == 0) return;
  const error why{errc::closed, "the server left the cluster"};
  std::erase_if(servers_, [&](const auto& entry) {
    cluster_server& server = *entry.second;
    if (!server.retired_ || &server == asked_ || !server.idle()) return false;
    server.close(why);
    --retired_;
    return true;
  });
}

// --- the map ---------------------------------------------------------------------------------------------------------

void cluster_machine::want_map() {
  if (closed_) return;
  refresh_.want(clock_.now());
  wake();
}

void cluster_machine::wake() {
  if (closed_) return;
  const time_point next = refresh_.next();
  host_.wake_at(retired_ == 0 ? next : std::min(next, after(clock_.now(), sweep_pause)));
}

void cluster_machine::tick() {
  if (closed_) return;
  const time_point now = clock_.now();
  sweep();
  if (refresh_.next() <= now) {
    std::vector<slot_refresh::node> known;
    for (const auto& [address, server] : servers_) {
      if (!server->retired_) known.push_back({address, !server->down_});
    }
    if (const auto whom = refresh_.step(now, known, how_.seeds)) {
      counters_.topology_refreshes.add();
      learned_.clear();
      asked_ = &server_for(*whom);
      host_.ask_slots(*asked_);
    }
  }
  wake();
}

void cluster_machine::slots_answered(const resp::view& reply) {
  if (closed_ || !asked_) return;
  auto read = slot_map::read(reply, asked_->address());
  if (!read) return slots_failed(error{read.error().code(), asked_->address().text() + ": " + read.error().message()});
  if (read->covered() == 0) {
    return slots_failed(error{cmd::errc::cluster_down, asked_->address().text() + ": the cluster serves no slots yet"});
  }
  asked_ = nullptr;
  failures_.clear();
  hopeless_.reset();
  adopt(*std::move(read));
  const bool settled = std::none_of(shards_.begin(), shards_.end(), [](const shard& s) { return s.primary->down_; });
  refresh_.answered(clock_.now(), servers_.size() - retired_, settled);
  wake();
  host_.release_waiting();
}

void cluster_machine::slots_failed(const error& why) {
  if (closed_ || !asked_) return;
  const net::address whom = std::exchange(asked_, nullptr)->address();
  const auto known = std::find_if(failures_.begin(), failures_.end(), [&](const auto& f) { return f.first == whom; });
  if (known == failures_.end()) failures_.emplace_back(whom, why);
  else known->second = why;
  const bool over = refresh_.failed(clock_.now());
  wake();
  if (!over || knows_map()) return;
  hopeless_.reset();
  if (std::all_of(failures_.begin(), failures_.end(), [](const auto& f) { return is_refusal(f.second); })) {
    hopeless_ = error{failures_.front().second.code(), why_no_map().message()};
    host_.fail_waiting(error{*hopeless_});
  }
}

error cluster_machine::why_no_map() const {
  std::string all;
  for (const net::address& seed : how_.seeds) {
    const auto known = std::find_if(failures_.begin(), failures_.end(), [&](const auto& f) { return f.first == seed; });
    // Most messages begin with the address.
    std::string why = known == failures_.end() ? "no answer yet" : known->second.message();
    if (!why.starts_with(seed.text())) why = fmt::format("{}: {}", seed.text(), why);
    if (why.find("cluster support disabled") != why.npos) why += " (for a server that is no cluster: redis://)";
    all += (all.empty() ? "" : "; ") + why;
  }
  return {cmd::errc::unreachable, "no server gives the map of the cluster's slots: " + all};
}

void cluster_machine::lost(std::uint16_t shard_index, slot_number slot) {
  const shard& before = shards_[shard_index];
  before.primary->changed_ = true;
  host_.slot_lost(*before.primary, slot);
  if (!how_.read_replicas) return;
  for (cluster_server* one : before.replicas) {
    one->changed_ = true;
    host_.slot_lost(*one, slot);
  }
}

void cluster_machine::learn(slot_number slot, cluster_server& owner) {
  if (refresh_.asking()) learned_.emplace_back(slot, owner.address());
  const auto before = map_.move(slot, owner.address());
  while (shards_.size() < map_.shards().size()) {
    shards_.push_back({&server_for(map_.shards()[shards_.size()].primary)});
  }
  if (before) lost(*before, slot);
}

void cluster_machine::adopt(slot_map newer) {
  // A redirection is newer than an answer that was asked for before.
  for (const auto& [slot, owner] : std::exchange(learned_, {})) newer.move(slot, owner);
  for (const auto& [address, server] : servers_) server->changed_ = false;
  if (knows_map()) {
    map_.for_each_lost(newer, [this](slot_number slot) { lost(map_.shard_of(slot), slot); });
  }
  map_ = std::move(newer);
  for (const auto& [address, server] : servers_) server->retired_ = true;
  retired_ = servers_.size();
  shards_.clear();
  for (const slot_map::shard& one : map_.shards()) {
    shard made{&server_for(one.primary)};
    for (const net::address& replica : one.replicas) made.replicas.push_back(&server_for(replica));
    shards_.push_back(std::move(made));
  }
  std::vector<cluster_server*> outdated;
  for (const auto& [address, server] : servers_) {
    if (server->changed_ || server->retired_ || server->down_) outdated.push_back(server.get());
  }
  for (cluster_server* one : outdated) reroute(*one);
}

}  // namespace seawall::redis
