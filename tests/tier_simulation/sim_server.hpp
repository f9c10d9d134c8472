// sim_node: one Redis server as the shared tier sees it; the simulation sets its clock, its memory and its replication.
//
// What it does as Redis 7.0 does: keys that end (at the next access, or earlier by `expire_one`), scripts that it may
// not know, the one-shot tracking table of the default mode, whose messages lie between the replies of a connection
// (those about a client's own write after its reply), -READONLY of a replica, -OOM of writes that take memory unless
// their script has written before, the ids of replication.
#pragma once

#include "chance.hpp"
#include "lua_scripts.hpp"
#include "reply.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace simulation {

class sim_node;

/// A connection: what the client has written and the server not yet read, and what the server has written.
struct sim_connection {
  struct question {
    std::uint64_t ticket;
    std::string bytes;
  };
  struct frame {
    enum class is : std::uint8_t { answer, invalidate, flush };
    is kind;
    std::uint64_t ticket = 0;
    std::string bytes{};  // of the answer; or the key
  };

  sim_node* node = nullptr;
  int owner = 0;        // the life of a process
  bool tracked = false;
  bool heard = true;   // false: the client is gone
  bool broken = false;  // the server is gone
  std::deque<question> in;
  std::deque<frame> out;
};

class sim_node final : public script_host {
 public:
  struct item {
    std::string bytes;
    std::optional<std::int64_t> ends_ms;
  };
  using data = std::map<std::string, item, std::less<>>;

  /// `now_ms`: the server's clock, milliseconds since 1970.
  sim_node(chance& draws, const std::int64_t& now_ms) : draws_(draws), now_ms_(now_ms) { start({}); }

  // ---- clients ----
  void attach(std::shared_ptr<sim_connection> who);
  const std::vector<std::shared_ptr<sim_connection>>& connections() const noexcept { return connections_; }
  /// Reads and executes the first question.
  void serve(sim_connection& who);
  reply execute(sim_connection& who, arguments command);
  /// After its reply: what the client's own command has changed.
  void tell_own_news(sim_connection& who);
  /// Ends all connections, from the server's side.
  void hang_up();
  /// Forgets those that both sides have left.
  void tidy();

  // ---- faults and time ----
  /// The process begins (anew) with these keys; it is a primary.
  void start(data keys);
  void follow(const sim_node& primary);
  void promote();
  /// A replica becomes what its primary is now.
  void copy(const sim_node& primary);
  bool expire_one();
  /// Any of the keys; nothing when there are none.
  std::string draw_key();
  /// Forgets a key to make room.
  bool evict(const std::string& key);
  void flush_all();
  void flush_scripts() { scripts_.clear(); }
  /// The tracking table is full: a client is told of a key that did not change.
  bool tell_one_for_nothing();

  bool is_primary() const noexcept { return primary_; }
  const data& keys() const noexcept { return keys_; }
  bool out_of_memory = false;

  struct counters {
    std::uint64_t no_script = 0;
    std::uint64_t refused_for_memory = 0;
    std::uint64_t read_only = 0;
    std::uint64_t expired = 0;
    std::uint64_t leases_ended = 0;
    std::uint64_t pushes = 0;
  };
  counters counted{};

 private:
  struct about;
  reply call(arguments command) override;
  reply run(arguments command);
  reply run_script(arguments command, bool by_digest);
  item* find(std::string_view key);
  reply set(arguments command);
  reply set_range(arguments command);
  reply get_range(arguments command);
  reply remove(arguments command);
  reply remove_if(std::string_view key, std::string_view value);
  reply scan(arguments command);
  reply info(arguments command) const;
  void changed(std::string_view key);
  void track(std::string_view key);
  void tell(sim_connection& who, sim_connection::frame what);
  std::string draw_id();

  chance& draws_;
  const std::int64_t& now_ms_;
  data keys_;
  std::map<std::string, std::string, std::less<>> scans_;  // by their cursors: the key that comes next
  std::set<lua_scripts::program> scripts_;
  std::map<std::string, std::vector<sim_connection*>, std::less<>> tracked_;
  std::vector<std::shared_ptr<sim_connection>> connections_;
  sim_connection* current_ = nullptr;
  std::vector<sim_connection::frame> own_news_;  // of `current_`, told after its reply
  bool in_script_ = false;
  bool script_has_written_ = false;
  bool primary_ = true;
  std::string run_id_;
  std::string replication_id_;
  std::string earlier_id_;
};

/// Bytes for the trace: the first ones, what is not ASCII as a dot.
std::string printable(std::string_view bytes);

/// Where the tier has the rows of the database.
inline constexpr const char* key_names[] = {"c:0", "c:1"};

/// The arguments of one command in RESP.
std::vector<std::string_view> split(std::string_view bytes);

}  // namespace simulation
