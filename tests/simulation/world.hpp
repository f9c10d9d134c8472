// A simulated service: a versioned database, writers that invalidate, callers with deadlines, loads that take time,
// fail, hang or are abandoned; all on one thread, in virtual time, in an order that one seed decides. After every step
// the promises of the cache are checked.
#pragma once

#include "seawall/cache.hpp"
#include "seawall/testing.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace simulation {

using namespace std::chrono_literals;
using seawall::duration;
using seawall::time_point;

struct row {
  int version;
  int load;  // which load read it; 0: put there by a writer
};

using core = seawall::core<int, row, seawall::hash<int>, std::equal_to<>>;
using load_op = seawall::load_op<core>;
using bulk_op = seawall::bulk_op<core>;

/// The seed's only source of chance.
class chance {
 public:
  explicit chance(std::uint64_t seed) : random_(seed * 0x9e3779b97f4a7c15 + 1) {}
  std::size_t below(std::size_t limit) { return random_.next() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }

 private:
  seawall::random_source random_;
};

/// How often each guard has done its work: a simulation in which one never fires proves nothing about it.
using coverage = std::map<std::string, std::uint64_t>;

class signal final : public seawall::waiter {
 public:
  void wake() noexcept override { woken = true; }
  bool woken = false;
};

class world {
 public:
  explicit world(std::uint64_t seed);

  /// Runs the seed to its end. Nothing when every promise held; otherwise what broke, with the seed's last steps.
  std::optional<std::string> run(std::size_t steps);

  void add_coverage(coverage& sum) const;

 private:
  static constexpr int keys = 2;
  static constexpr int absent_every = 5;  // a row whose version divides by it does not exist

  struct load_record {
    int key;
    std::uint64_t began;    // step at which its flight may have been opened, at the latest
    time_point gives_up;
    bool active = true;
    bool cut = false;       // an invalidation, its deadline or its leader's leaving freed the key
  };

  enum class ending { value, failure, unmodified, hang };

  // A load that a caller runs itself, between step::run_loader and its end.
  struct own_load {
    int id;
    int key;
    ending how;
    bool read = false;
    int version = 0;
  };

  struct caller {
    std::vector<int> keys;
    std::shared_ptr<signal> self = std::make_shared<signal>();
    std::unique_ptr<load_op> single;
    std::unique_ptr<bulk_op> bulk;
    seawall::step at = seawall::step::wait;
    time_point deadline;
    std::vector<int> floors_read;   // highest version that had been returned when the call began, by key
    std::vector<int> floors_acked;  // highest version that had been acknowledged
    std::uint64_t unlinearized_before;
    std::vector<own_load> loads;
  };

  struct writer {
    int key;
    int version = 0;
    int stage = 0;  // 0: to commit; 1: to tell the cache; 2: to acknowledge
  };

  struct executor final : seawall::executor {
    struct item {
      task work;
      std::uint64_t posted;
    };
    explicit executor(world& owner) : owner_(owner) {}
    void post(task work) override { items.push_back({std::move(work), owner_.step_}); }
    std::vector<item> items;

   private:
    world& owner_;
  };

  // steps (world_steps.cpp)
  void step(int depth);
  void start_caller();
  void move_caller(std::size_t index);
  void cancel_caller(std::size_t index);
  void begin_own_loads(caller& who, const std::vector<int>& batch, time_point gives_up);
  void advance_own_load(caller& who, own_load& load);
  void run_task(int depth);
  seawall::loaded<row> bound_load(int key, seawall::load_context<row>& context);
  void move_writer(std::size_t index);
  void advance_time(duration span);
  void disturb();

  // checks (world_checks.cpp)
  int begin_load(int key, std::uint64_t began, time_point gives_up, bool cut_already);
  void end_load(int id);
  void cut_loads(int key, bool removes = true);
  void check_answer(const caller& who, std::size_t position, const core::answer& answer);
  void check_store();
  void check_deadlines();
  void check_nothing_is_left();
  void broken(const std::string& what);
  void note(const std::string& what);

  seawall::loaded<row> outcome_of(ending how, int version, int id, const seawall::value_ptr<row>& previous);
  load_op::settings settings();
  seawall::cache_options<int, row> options();

  chance chance_;
  std::uint64_t step_ = 0;
  std::shared_ptr<seawall::manual_clock> clock_ = std::make_shared<seawall::manual_clock>();
  std::shared_ptr<executor> executor_;
  seawall::bound_loader<int, row> bound_;
  std::shared_ptr<core> core_;
  std::size_t load_limit_;
  std::shared_ptr<seawall::bulkhead> source_;
  std::size_t source_limit_ = 1'000;
  std::uint64_t lookups_ = 0;
  std::uint64_t uncounted_ = 0;  // calls that left before they were answered

  std::array<int, keys> committed_{};   // the database
  std::array<int, keys> acked_{};
  std::array<int, keys> returned_{};
  std::array<bool, keys> written_now_{};  // a writer that puts holds the row
  std::array<std::uint64_t, keys> cut_at_{};      // step at which loads in progress last lost the key
  std::array<std::uint64_t, keys> removed_at_{};  // step of the last invalidation, put or clear
  std::vector<load_record> loads_{load_record{0, 0, seawall::never, false, true}};
  std::vector<caller> callers_;
  std::vector<writer> writers_;
  int nesting_ = 0;
  std::uint64_t task_posted_ = 0;
  bool draining_ = false;

  std::optional<std::string> broken_;
  std::vector<std::string> history_;
  coverage seen_;
};

}  // namespace simulation
