// cluster_machine: which server of a cluster a request goes to, and what follows from what the servers answer.
// Performs no I/O: it acts through `cluster_host` and `cluster_server`, and reads the time from the clock it is given.
// Source: Redis Cluster specification, "Redirection and resharding".
#pragma once

#include "cluster_slot_map.hpp"
#include "cluster_slot_refresh.hpp"
#include "cluster_trail.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/redis/stats.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seawall::redis {

using cmd::request;

/// One server, as the machine needs it.
class cluster_server {
 public:
  explicit cluster_server(net::address at) : address_(std::move(at)) {}
  virtual ~cluster_server() = default;

  virtual void submit(request& asked, bool asking) = 0;
  /// No request is under way.
  virtual bool idle() const = 0;
  virtual std::vector<request*> take_waiting() = 0;
  virtual void reconnect(const error& why) = 0;
  virtual void close(const error& why) = 0;

  const net::address& address() const noexcept { return address_; }
  /// It cannot be reached at present.
  bool down() const noexcept { return down_; }

 private:
  friend class cluster_machine;
  const net::address address_;
  bool down_ = false;
  bool retired_ = false;  // not in the map any more: closed when it is idle
  bool changed_ = false;  // while a map is taken in: it has lost a slot
};

/// What the machine does to the world.
class cluster_host {
 public:
  virtual ~cluster_host() = default;
  virtual std::unique_ptr<cluster_server> make_server(const net::address& at) = 0;
  virtual void end(request& asked, const error& why) = 0;
  /// Comes back by `route` at that time.
  virtual void park(request& asked, time_point due) = 0;
  /// Comes back by `route` when `release_waiting` says so.
  virtual void wait_for_map(request& asked) = 0;
  virtual void release_waiting() = 0;
  virtual void fail_waiting(const error& why) = 0;
  /// CLUSTER SLOTS: `slots_answered` or `slots_failed` follows.
  virtual void ask_slots(cluster_server& whom) = 0;
  /// No answer is wanted any more, and none may follow.
  virtual void forget_question() = 0;
  /// What was read from the server of keys in this slot may be outdated.
  virtual void slot_lost(cluster_server& by, slot_number slot) = 0;
  /// `tick` is to be called then; replaces the time before.
  virtual void wake_at(time_point when) = 0;
};

/// Thread safety: none.
class cluster_machine {
 public:
  struct settings {
    std::vector<net::address> seeds{};
    int max_redirects = 16;
    bool read_replicas = false;
    slot_refresh::pacing pacing{};
  };

  /// Bits of request::book.flags.
  static constexpr std::uint8_t keyed = 1;         // book.slot is the slot of its keys
  static constexpr std::uint8_t primary_only = 2;  // no replica any more, after one refused
  static constexpr std::uint8_t internal = 4;      // of the router itself: no caller's command

  /// For one server and no other: the question for the map, a command for all primaries.
  static bool is_bound(const request& asked) noexcept { return (asked.book.flags & (internal | keyed)) == internal; }

  cluster_machine(cluster_host& host, const seawall::clock& clock, random_source& random, stats_counters& counters,
                  settings how);

  /// Sends the request to a server, or parks it. Requires: `keyed` and book.slot are set if it has keys.
  void route(request& asked);
  /// The server refused to run it. True: the request goes another way, or has ended.
  bool refused(cluster_server& from, request& asked, std::string_view error_text);
  void down(cluster_server& who, const error& why);
  void ready(cluster_server& who);
  /// A request had no answer from it in time.
  void timed_out(cluster_server& who);
  void want_map();
  void slots_answered(const resp::view& reply);
  void slots_failed(const error& why);
  void tick();
  /// Ends everything for good.
  void close(const error& why);

  /// For the error of a request whose deadline comes while it waits for the first map, or during a pause.
  error why_no_map() const;
  error why_paused(const request& asked) const;

  bool knows_map() const noexcept { return !shards_.empty(); }
  /// The primary of the slot; nullptr: not known.
  cluster_server* primary_of(slot_number slot) const noexcept;
  std::vector<cluster_server*> primaries() const;
  cluster_server* find(const net::address& at) const noexcept;
  const slot_map& map() const noexcept { return map_; }

 private:
  struct shard {
    cluster_server* primary;
    std::vector<cluster_server*> replicas{};
  };

  cluster_server& choose(const request& asked);
  cluster_server& any_primary();
  cluster_server& server_for(const net::address& at);
  bool redirected(cluster_server& from, request& asked, std::string_view text, bool ask);
  bool later(cluster_server& from, request& asked, std::string_view text, bool refresh);
  void pause(request& asked);
  void learn(slot_number slot, cluster_server& owner);
  void lost(std::uint16_t shard_index, slot_number slot);
  void adopt(slot_map newer);
  void reroute(cluster_server& from);
  void sweep();
  void wake();

  cluster_host& host_;
  const seawall::clock& clock_;
  random_source& random_;
  stats_counters& counters_;
  const settings how_;

  slot_map map_;
  std::vector<shard> shards_;  // as in the map
  std::unordered_map<net::address, std::unique_ptr<cluster_server>> servers_;
  std::size_t retired_ = 0;

  slot_refresh refresh_;
  cluster_server* asked_ = nullptr;                            // for the map
  std::vector<std::pair<slot_number, net::address>> learned_;  // from redirections since then
  std::vector<std::pair<net::address, error>> failures_;       // of the nodes asked since the last map
  std::optional<error> hopeless_;                              // no map will come before somebody changes something
  cluster_trail trail_;
  bool closed_ = false;
};

}  // namespace seawall::redis
