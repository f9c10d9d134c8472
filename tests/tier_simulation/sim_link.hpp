// sim_link: the client of one simulated process: one connection at a time, requests and replies in order. It fails as
// redis::client does: what was written on a connection that is lost may have been applied or not, and what may be
// repeated is written again on the next one; a request whose time is up leaves its place in the row.
#pragma once

#include "chance.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/redis/tracking.hpp"
#include "sim_server.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace simulation {

class sim_link final : public seawall::cmd::target {
 public:
  sim_link(chance& draws, const seawall::time_point& now, bool tracked, int owner)
      : draws_(draws), now_(now), tracked_(tracked), owner_(owner) {}

  /// `told`: the server tells of changes, and not of connections alone.
  void use(std::shared_ptr<seawall::redis::tracking_listener> feed, bool told) {
    feed_ = std::move(feed);
    told_ = told;
  }

  // target
  void submit(seawall::cmd::request& asked) override;
  void submit_all(seawall::cmd::request& first) override;
  void cancel(seawall::cmd::request& asked) override;
  void wait(const std::atomic<bool>&) override;
  seawall::duration default_timeout() const noexcept override { return std::chrono::seconds{1}; }

  // ---- steps ----
  bool connected() const noexcept { return connection_ != nullptr; }
  bool waits() const noexcept { return !waiting_.empty(); }
  void connect(sim_node& to);
  /// There is something to hear, and nothing holds it back.
  bool can_hear() const noexcept { return connection_ && !connection_->out.empty() && now_ >= stalled_until; }
  /// What will be heard next, for the trace.
  std::string next_frame() const;
  void hear_one();
  bool must_notice_loss() const noexcept { return connection_ && connection_->broken; }
  void lose();
  /// No connection can be made: what waits for one fails.
  void refuse();
  /// Time is up for something.
  bool has_late() const;
  void time_out();
  /// The process ends: nothing leaves it any more.
  void kill();

  /// How many commands have ended, well or not, and one.
  std::uint64_t ends() const noexcept { return ends_; }

  /// What goes on while a thread is blocked: returns when `done` is true, or nothing goes on any more.
  std::function<void(const std::atomic<bool>& done)> help;

  seawall::time_point stalled_until{};
  seawall::time_point down_until{};
  seawall::time_point last_heard{};

  struct counters {
    std::uint64_t repeated = 0;
    std::uint64_t unknown = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t late_commands = 0;
    std::uint64_t tags_told = 0;
  };
  counters counted{};

 private:
  struct place {
    std::uint64_t ticket;
    seawall::cmd::request* who;  // null: its time was up
    std::string bytes;
    seawall::cmd::effect effect;
    seawall::time_point deadline;
    bool written = false;
  };

  void take(seawall::cmd::request& asked);
  void write(place& one);
  void fail(seawall::cmd::request& who, const seawall::error& why);
  void fail_unwritten(const seawall::error& why);

  chance& draws_;
  const seawall::time_point& now_;
  const bool tracked_;
  const int owner_;
  std::shared_ptr<seawall::redis::tracking_listener> feed_;
  bool told_ = true;
  std::shared_ptr<sim_connection> connection_;
  std::deque<place> waiting_;  // in the order of the wire
  std::uint64_t generation_ = 0;
  std::uint64_t tickets_ = 0;
  std::uint64_t ends_ = 1;
  mutable seawall::time_point earliest_ = seawall::never;  // no deadline is before
  bool greeting_ = false;  // what is asked now waits for its turn
  bool dead_ = false;
};

}  // namespace simulation
