// tier_question: one read of the shared tier on behalf of a flight. It is shared by the tier, which answers it, and
// whoever leads the flight; when that one leaves early, a lease that comes all the same is given back.
#pragma once

#include "seawall/cache/flight.hpp"
#include "seawall/cache/shared_tier.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace seawall {

struct question_options {
  bool refresh = false;
  bool early = false;
  bool takes_lease = true;
  std::optional<tier_nonce> unusable{};
  duration patience = forever;
  bool caller_waits = false;
};

template <class Core>
class tier_question final : public tier_read {
 public:
  using flight_ptr = typename Core::flight_ptr;

  tier_question(std::shared_ptr<Core> core, flight_ptr which, std::shared_ptr<waiter> asker,
                const question_options& how)
      : core_(std::move(core)), which_(std::move(which)), asker_(std::move(asker)) {
    refresh = how.refresh;
    early = how.early;
    takes_lease = how.takes_lease;
    unusable = how.unusable;
    patience = how.patience;
    caller_waits = how.caller_waits;
    fresh = which_->alone;
    lease_for = core_->lease_time();
    if (which_->tags.empty() && which_->expects.empty()) return;
    tag_list asked_for = which_->tags;
    for (const std::uint64_t tag : which_->expects.hashes()) asked_for.add(tag);  // as many as there is room for
    tags.assign(asked_for.hashes().begin(), asked_for.hashes().end());
  }

  /// For `shared_tier::wait`.
  const std::atomic<bool>& done() const noexcept { return done_; }
  bool ended() const noexcept { return done_.load(std::memory_order_acquire); }

  /// Makes the lease that came the flight's. Requires: ended, leased.
  void accept_lease() noexcept {
    which_->lease = nonce;
    which_->refreshes_tier = refresh;
    which_->stamps = std::move(stamps);
    taken_ = true;
  }

  /// Nobody waits for the answer any more.
  void drop() noexcept {
    if (state_.exchange(dropped, std::memory_order_acq_rel) == answered) give_back();
  }

  void on_read() noexcept override {
    if (which_->alone) return;
    which_->outdated.store(false, std::memory_order_relaxed);
    which_->proof.store(proof, std::memory_order_relaxed);
  }

  void on_end() noexcept override {
    const auto asker = std::exchange(asker_, nullptr);
    if (state_.exchange(answered, std::memory_order_acq_rel) == dropped) give_back();
    done_.store(true, std::memory_order_release);
    done_.notify_all();
    if (asker) asker->wake();
  }

 private:
  enum state : unsigned char { waiting, answered, dropped };

  void give_back() noexcept {
    if (is == outcome::leased && !std::exchange(taken_, true)) core_->release(key, nonce, refresh);
  }

  const std::shared_ptr<Core> core_;
  const flight_ptr which_;
  std::shared_ptr<waiter> asker_;
  std::atomic<state> state_{waiting};
  std::atomic<bool> done_{false};
  bool taken_ = false;  // by the asker after `done_`, or by whoever of asker and tier comes second
};

/// A call that a thread waits for.
template <class Call>
class awaited final : public Call {
 public:
  void on_end() noexcept override {
    done.store(true, std::memory_order_release);
    done.notify_all();
  }

  std::atomic<bool> done{false};  ///< For `shared_tier::wait`.
};

/// A call at whose end something is done.
template <class Call>
class continued final : public Call {
 public:
  void on_end() noexcept override { std::exchange(then, nullptr)(); }

  std::move_only_function<void()> then{};
};

/// Storing a loaded value in the shared tier; ends the flight.
template <class Core>
class tier_filling final : public tier_fill {
 public:
  tier_filling(std::shared_ptr<Core> core, typename Core::flight_ptr which, typename Core::outcome came)
      : core_(std::move(core)), which_(std::move(which)), came_(std::move(came)), here_(core_->in_background_) {}

  void on_read() noexcept override {
    if (which_->alone) return;
    which_->outdated.store(false, std::memory_order_relaxed);
    which_->proof.store(proof, std::memory_order_relaxed);
  }
  void on_end() noexcept override { core_->finish_fill(which_, std::move(came_), *this); }

 private:
  const std::shared_ptr<Core> core_;
  const typename Core::flight_ptr which_;
  typename Core::outcome came_;
  const detail::presence here_;
};

}  // namespace seawall
