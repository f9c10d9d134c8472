// A simulated service of several processes: each a cache with a shared tier over a connection to one simulated Redis
// (with a replica), and a versioned database. Readers of one key and of many, writers that invalidate a key, a tag or
// everything, faults of processes, connections and servers; all on one thread, in virtual time, in an order that one
// seed decides.
//
// Every value is the version of its row, so that each answer can be judged at once:
//   fresh reads          no older than what was acknowledged or answered to a fresh read, anywhere, before they began
//   other reads          no older than what was acknowledged the bound before they began, what the process has
//                        acknowledged itself, and what it has answered before, if that had come into the tier: what
//                        a load has read before its writer's invalidation need not be found again
// A write is acknowledged when its invalidation has ended and none of its process waits to be delivered. A write whose
// process ended before that is invalidated later by another one, as from an outbox. A write of a tag changes all rows
// whose keys have the tag, and then invalidates the tag alone.
//
// Some writes are transactions of seawall::sql. If one has an outbox, it is also acknowledged when a relay has removed
// its row, and its process may die at any step; without one, what dies with its process is acknowledged when every
// entry has reached its end. Some worlds have plain values: no server goes back in time there, nothing has tags, and
// other programs write, too.
//
// In some worlds the processes keep their keys fresh: each of these loads has a right of its own, none takes one from
// its holder, and they end when nobody reads any more.
#pragma once

#include "load_rights.hpp"
#include "world_parts.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace simulation {

class world {
 public:
  explicit world(std::uint64_t seed, bool tracing = false);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// Runs the seed to its end. Nothing when every promise held; otherwise what broke.
  std::optional<std::string> run(std::size_t steps);

  /// The last steps, if it was told to keep them.
  std::string trace() const;
  void add_coverage(coverage& sum) const;

 private:
  // world.cpp
  void step(int depth);
  void list_actions(int depth);
  void list_of(process& one, std::size_t index, int depth);
  void list_of_servers();
  void perform(action chosen, int depth);
  void serve(sim_node& node, std::size_t which);
  void pass_time();
  void pass_until(time_point when);
  bool has_unread_commands() const;
  void drain();
  void settle();
  void outlive_what_was_lost();
  template <class... A>
  void note(fmt::format_string<A...> text, A&&... what) {
    if (tracing_) write_note(fmt::format(text, std::forward<A>(what)...));
  }
  void write_note(const std::string& what);
  void broken(const std::string& what);

  // world_processes.cpp
  void start(process& one);
  void end(process& one);
  void start_caller(process& one, bool fresh, bool may_leave);
  void start_caller(process& one, int key, load_op::settings how, bool only_looks);
  void move_caller(process& one, std::size_t index);
  seawall::loaded<int> outcome_of(process& one, int key, int version, bool fails) const;
  seawall::loaded<int> bound_load(process& one, int key);
  void run_task(process& one, std::size_t which, int depth);

  // world_batches.cpp
  void start_batch(process& one, bool fresh);
  void move_batch(process& one, std::size_t index);
  void check_batch(process& one, batch& who);

  // world_writers.cpp
  void name_tags();
  void start_writer(process& one);
  void move_writer(process& one, std::size_t index, int depth);
  void commit(process& one, writer& who);
  void begin_to_invalidate(process& one, writer& who);
  void invalidate_blocking(process& one, std::size_t index, int depth);
  void has_invalidated(process& one, const write& what);
  void put(core& cache, const write& what);
  seawall::prefix_options prefix_limits();
  bool remove_prefix(core& cache, const write& what);
  void help(const std::atomic<bool>& done);
  void acknowledge(int key, int version);
  void look_for_deliveries(process& one);
  void replay_outbox();
  std::string text_of(const write& what) const;
  seawall::tag_list tags_of(int key, bool of_call) const;
  seawall::tag_list all_tags_of(int key) const;
  bool is_tagged(int tag, int key) const { return (tagged_[tag] >> key & 1) != 0; }
  bool is_tagged(std::string_view tag, int key) const;
  static std::string name_of_tag(int tag);

  // world_transactions.cpp
  struct plan;
  void start_database(process& one);
  void end_database(process& one);
  void go_on_without(process& one);
  versions share_of(const outbox_row& row, const versions& made) const;
  void has_relayed(const outbox_row& row);
  plan draw_plan();
  void transact(process& one, int depth);
  seawall::result<void> put_row(cache_face& face, seawall::sql::database& database, plan& how);
  seawall::result<void> change_row(cache_face& face, seawall::sql::database& database, plan& how);
  seawall::result<void> change_rows(cache_face& face, seawall::sql::database& database, plan& how);
  void judge_transaction(process& one, bool lives, plan how, const seawall::result<void>& done);
  void orphan(const write& what);
  void arrive_late();
  bool outbox_is_due() const;
  bool outbox_owes() const;
  void relay(process& one, int depth);

  // world_keep.cpp
  void draw_keeping();
  seawall::loaded<int> kept_load(process& one, int key);
  void look_at_rights(const load_rights::change& what);
  void stop_keeping();

  // world_plain.cpp
  void write_elsewhere();
  duration ttl_elsewhere() const;
  bool meets_a_lease_here(const std::string& name);

  // world_checks.cpp
  int floor_of(const process& one, int key, bool fresh) const;
  floors floors_of(const process& one, int key, bool fresh) const;
  int acknowledged_before_bound(int key) const;
  void check_answer(process& one, const caller& who, const core::answer& answer);
  void check_error(const seawall::error& why);
  int judge(const process& one, int key, const seawall::value_ptr<int>& value, int floor, const char* what);
  void probe();
  std::uint64_t unlinearized(const process& one) const;
  void look_at_store();
  void look_at_tags();
  void look_at_entry(int key, std::string_view bytes);
  bool has_old_tag(const seawall::tier_entry& entry);
  void has_answered(process& one, int key, int version, std::optional<seawall::served_from> from = std::nullopt);
  void look_at_dealings(int life, std::string_view asked, const versions& before);
  void add_counters(const process& one);

  // world_faults.cpp
  time_point some_time();
  void fault();
  bool fault_of_process(std::size_t kind, process& one);
  bool fault_of_server(std::size_t kind);
  bool evict();
  void fail_over();

  sim_node& primary() { return *nodes_[primary_]; }
  sim_node& replica() { return *nodes_[1 - primary_]; }
  bool paused(const process& one) const { return now_ < one.paused_until || one.inside; }
  seawall::cache_options<int, int> options_of(process& one);

  chance chance_;
  chance added_;  // of what came later: the draws of `chance_` stay what they were
  const bool tracing_;
  const std::uint64_t seed_;
  time_point now_ = time_point{} + std::chrono::hours{1};
  std::int64_t server_ahead_ms_ = 1'700'000'000'000;
  std::int64_t server_now_ms_ = 0;
  std::vector<std::unique_ptr<sim_node>> nodes_;
  std::size_t primary_ = 0;
  sim_node::data remembered_;  // what a restart of the primary finds
  std::vector<std::unique_ptr<process>> processes_;
  action_list actions_;
  time_point servers_down_until_{};

  // how this seed is
  seawall::tier_options tier_options_;
  duration clock_lag_{};
  bool natively_ = false;
  std::size_t fault_every_ = 40;
  std::size_t fault_kinds_ = ~std::size_t{0};
  std::size_t write_every_ = 4;
  duration slowest_step_{};
  seawall::entry_policy policy_;
  duration load_deadline_{};
  bool versioned_ = false;            // loaders name the versions of their values
  std::array<int, tags> tagged_{};    // bits: the keys that have the tag
  std::array<bool, tags> named_late_{};  // by loaders only

  bool plain_ = false;
  bool locks_rows_ = false;     // as PostgreSQL; otherwise as SQLite
  std::size_t relay_batch_ = 256;
  std::size_t transact_every_ = 4;

  // keys that processes keep fresh
  seawall::keep_fresh_options keep_{};
  std::optional<load_rights> rights_;
  std::array<std::uint32_t, keys> faults_since_kept_{};  // bits: kinds of fault

  sim_tables tables_;
  versions& committed_ = tables_.committed;
  versions lost_{};  // committed, and nobody left who invalidates them
  duration clock_slack_{};  // by which the server's clock went back, in all
  std::array<std::vector<acknowledgement>, keys> acknowledged_;
  versions last_acknowledged_{};
  versions fresh_returned_{};
  versions stored_{};                             // highest version that was in the tier; of bare values the last one
  std::array<std::set<int>, keys> plain_stored_;  // all versions that were, where values are bare
  versions stored_elsewhere_{};                   // the last one that another program has stored
  std::array<std::string, keys> last_seen_;       // header of what is there
  std::array<std::string, tags + 1> last_generations_;  // of the tags, and of the whole cache
  std::array<std::string, tags + 1> tag_keys_;
  std::uint64_t tag_changes_ = 0;
  std::vector<write> outbox_;
  int depth_ = 0;  // of loaders, and of calls that block, inside of steps
  std::vector<seawall::bound_loader<int, int>> bound_;  // of each process
  bool draining_ = false;
  bool quiet_ = false;
  std::uint64_t step_ = 0;
  int callers_ever_ = 0;
  std::optional<std::string> broken_;
  std::vector<std::string> history_;
  tally seen_;
  coverage counters_;  // of the processes that have ended
};

}  // namespace simulation
