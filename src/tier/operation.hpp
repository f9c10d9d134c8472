// operation: one call of a tier under way: commands that are sent in one piece, perhaps several times in a row.
#pragma once

#include "core.hpp"
#include "seawall/cmd/command.hpp"
#include "seawall/cmd/request.hpp"

#include <boost/container/small_vector.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::tier {

class operation;

/// Rounds of a read: three that look at what is there, or two and one for a value that changes meanwhile; and one for a
/// connection that is new.
inline constexpr int most_rounds = 4;

/// One command of an operation.
class step final : public cmd::request {
 public:
  /// Requires: it is not under way.
  void set(operation& of, cmd::any_command&& what);
  bool used() const noexcept { return of_ != nullptr; }

  /// Why there is no reply, or the server's error.
  const std::optional<error>& failure() const noexcept { return failure_; }
  /// An integer that came.
  std::optional<std::int64_t> number() const noexcept { return number_; }
  /// Something came, neither an error nor null.
  bool done() const noexcept { return done_; }
  /// The server does not know the script, and was not sent its source.
  bool misses_script() const noexcept { return misses_script_; }

  void on_reply(std::size_t index, resp::view reply) noexcept override;
  void on_end(const error* failure) noexcept override;

 private:
  friend class operation;
  void get_ready(duration longest, bool waits);
  void use_source();

  operation* of_ = nullptr;
  cmd::any_command what_;
  std::unique_ptr<resp::command_bytes> with_source_;  // of a script that the server did not know
  std::optional<error> failure_;
  std::optional<std::int64_t> number_;
  bool done_ = false;
  bool misses_script_ = false;
  bool ended_ = false;
  bool quiet_ = false;  // nobody asks for its reply
};

/// The commands of a round, usually one.
using step_list = boost::container::small_vector<step*, 4>;

/// Owns itself from `start` to `finish`. Thread safety: the target's; a round ends on one thread.
class operation {
 public:
  virtual ~operation() = default;
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;

  static void start(std::unique_ptr<operation> made) {
    operation& here = *made;
    here.self_ = std::move(made);
    here.begin();
  }

 protected:
  friend class step;
  explicit operation(std::shared_ptr<tier::core> core) : core_(std::move(core)) {}

  virtual void begin() = 0;
  /// A reply of the round that is no error, in the order of the wire.
  virtual void replied(step& /*which*/, resp::view /*reply*/) noexcept {}
  /// All commands of the round have ended.
  virtual void round_ended() = 0;

  /// Begins the list of a round at `now` that is about a slot. Whose answers are to be believed is known, or else a
  /// beat goes in front. `distrusts`: even where it seems to be known.
  std::optional<footing> open_round(step_list& round, std::unique_ptr<step>& beat, core::slot_number slot,
                                    time_point now, bool distrusts = false) {
    round.clear();
    const std::optional<footing> on = distrusts ? std::nullopt : core_->expected(slot, now);
    if (!on) {
      if (!beat) beat = std::make_unique<step>();
      beat->set(*this, core_->beat_command(slot));
      round.push_back(beat.get());
    }
    return on;
  }

  /// Sends the steps; the round must end before `deadline_`, which is in the future.
  void send(std::span<step* const> steps, bool caller_waits = false) { send(steps, caller_waits, core_->now()); }
  /// The same where the time was read just now.
  void send(std::span<step* const> steps, bool caller_waits, time_point now) {
    send_over(core_->target(), steps, caller_waits, now);
  }
  /// The same over another target.
  void send_over(cmd::target& where, std::span<step* const> steps) { send_over(where, steps, false, core_->now()); }
  /// Sends the steps again from the first one on whose script the server did not know, with its source. False: there is
  /// none, or no time is left.
  bool send_sources(std::span<step* const> steps);
  /// Destroys the operation.
  void finish() { self_.reset(); }

  const std::shared_ptr<tier::core> core_;
  time_point deadline_ = never;
  bool unhurried_ = false;  // see request

 private:
  void send_over(cmd::target& where, std::span<step* const> steps, bool caller_waits, time_point now);
  void step_ended();
  /// The PUBLISH that goes behind the steps; nothing if there is none.
  step* news_of(std::span<step* const> steps);

  std::unique_ptr<operation> self_;
  std::unique_ptr<step> news_;
  std::atomic<std::size_t> left_{0};
};

/// The nonces of a read's claims. Each is sent once: a claim that was not answered may be executed later, from what a
/// lost connection left behind, and by then an invalidation may have taken the lease away that a load has.
using claim_nonces = boost::container::small_vector<tier_nonce, 1>;

/// An operation on behalf of a call. `What` is a tier_call.
template <class What>
class call : public operation {
 protected:
  call(std::shared_ptr<tier::core> core, std::shared_ptr<What> what)
      : operation(std::move(core)), what_(std::move(what)) {}

  /// Asks whether the call may go, and when it must be over. What comes is why it may not.
  std::optional<error> refused(std::string_view key = {}, core::counter counts = nullptr) {
    admission let = core_->admit(key, counts);
    permit_ = let.permit;
    begun_ = let.now;
    const duration budget = core_->options().budget;
    hurried_ = what_->patience < budget;
    deadline_ = after(let.now, hurried_ ? what_->patience : budget);
    return std::move(let.refused);
  }

  bool out_of_time() const { return core_->now() >= deadline_; }
  static error late() { return {errc::timed_out, "the shared tier did not answer in time"}; }

  /// Ends the call, and destroys the operation.
  void end(std::optional<error> failure, core::counter counts = nullptr) {
    core_->ended(permit_, failure ? &*failure : nullptr, hurried_, counts);
    what_->failure = std::move(failure);
    const auto what = std::move(what_);
    finish();
    what->on_end();
  }

  std::shared_ptr<What> what_;
  time_point begun_{};    // when it was asked whether it may go
  bool hurried_ = false;  // the caller has less time than the tier's budget

 private:
  breaker::permit permit_{};
};

}  // namespace seawall::tier
