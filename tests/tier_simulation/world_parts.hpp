// The parts of a world: its processes with their readers and writers, and the steps that it chooses from.
#pragma once

#include "cache_face.hpp"
#include "chance.hpp"
#include "seawall/cache.hpp"
#include "seawall/cache/bulk_op.hpp"
#include "seawall/source/outbox.hpp"
#include "seawall/tier/remote_tier.hpp"
#include "sim_clock.hpp"
#include "sim_database.hpp"
#include "sim_link.hpp"
#include "sim_server.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace simulation {

using namespace std::chrono_literals;
using seawall::duration;
using seawall::time_point;

using core = seawall::core<int, int, seawall::hash<int>, std::equal_to<>>;
using load_op = seawall::load_op<core>;
using bulk_op = seawall::bulk_op<core>;

class signal final : public seawall::waiter {
 public:
  void wake() noexcept override { woken = true; }
  bool woken = false;
};

constexpr int keys = row_count;
constexpr int tags = 2;
constexpr int absent_every = 5;  // a row whose version divides by it does not exist

struct floors {
  int all = 0;
  int not_linear = 0;  // if it counts as a read that is not linearizable
};

struct caller {
  int id;
  int key;
  bool fresh;
  bool only_looks;
  std::shared_ptr<signal> self = std::make_shared<signal>();
  std::unique_ptr<seawall::served> report = std::make_unique<seawall::served>();
  std::unique_ptr<load_op> machine;
  seawall::step at = seawall::step::wait;
  floors floor{};
  std::uint64_t unlinearized_before = 0;
  std::optional<int> read{};  // of its load
  std::uint64_t tags_before = 0;  // how often tags had changed when it read
};

// A caller of get_many.
struct batch {
  int id;
  bool fresh;
  std::shared_ptr<signal> self = std::make_shared<signal>();
  std::unique_ptr<bulk_op> machine{};
  std::vector<int> asked{};  // keys that it did not find in its process
  seawall::step at = seawall::step::wait;
  std::array<floors, keys> floor{};
  std::uint64_t unlinearized_before = 0;
  std::optional<versions> read{};
};

// What was committed, and is to be invalidated.
struct write {
  enum class of : std::uint8_t { key, tag, everything, every_key, put, expire, prefix };
  // Who remembers it when its process is dead.
  enum class by : std::uint8_t { world, table, nobody };
  of what = of::key;
  int which = 0;
  versions made{};  // zero: not of that key
  by kept = by::world;
  bool has_asynchronous_form() const {
    return what == of::key || what == of::tag || what == of::put || what == of::prefix;
  }
};

struct writer {
  write what;
  bool blocks = false;
  bool committed = false;
  bool invalidating = false;
  enum class end : std::uint8_t { none, well, failed };
  std::shared_ptr<end> ended = std::make_shared<end>(end::none);
};

struct executor final : seawall::executor {
  void post(task work) override { items.push_back(std::move(work)); }
  std::vector<task> items;
};

struct process {
  int id;
  int life = 0;  // of load_rights; the first is the id
  std::shared_ptr<sim_clock> clock;
  std::shared_ptr<sim_link> link;
  std::shared_ptr<executor> tasks;
  std::shared_ptr<seawall::remote_tier> tier;
  std::shared_ptr<core> cache;
  std::vector<caller> callers;
  std::vector<batch> batches;
  std::vector<writer> writers;
  std::vector<write> undelivered;
  std::uint64_t looked_at = 0;  // the link's number of ends, when they were looked at
  std::shared_ptr<sim_database> database;
  std::shared_ptr<cache_face> face;
  std::shared_ptr<seawall::sql::outbox_relay> relay;
  bool relays = false;
  int transactions = 0;  // under way
  time_point paused_until{};
  bool inside = false;  // its loader runs
  versions met{};    // highest version that the tier had when it last did something with the key for this process
  versions taken{};  // highest version that the tier has taken from this process
  std::array<std::set<int>, keys> loaded{};  // versions that its loaders have answered
  versions returned{};  // highest version, out of the tier or taken by it, that a read which is not fresh was answered
  versions acknowledged{};
};

struct acknowledgement {
  time_point when;
  int version;
};

enum class act : std::uint8_t {
  start_caller, move_caller, cancel_caller, start_batch, move_batch, cancel_batch, start_writer, move_writer,
  replay_outbox, fire_timer, run_task, connect, serve, hear, notice_loss, time_out, pass_time, copy, remember,
  expire_key, give_memory, transact, relay, arrive_late, write_elsewhere
};
struct action {
  act what;
  std::uint8_t who = 0;
  std::uint16_t which = 0;
};
// Filled anew for each step.
class action_list {
 public:
  void clear() { count_ = 0; }
  void add(act what, std::size_t who = 0, std::size_t which = 0) {
    if (count_ == items_.size()) [[unlikely]] items_.resize(2 * count_ + 64);
    items_[count_++] = {what, static_cast<std::uint8_t>(who), static_cast<std::uint16_t>(which)};
  }
  std::size_t size() const { return count_; }
  action operator[](std::size_t i) const { return items_[i]; }

 private:
  std::vector<action> items_;
  std::size_t count_ = 0;
};

}  // namespace simulation
