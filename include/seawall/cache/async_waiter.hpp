// async_waiter: a coroutine that waits to be woken by any thread. Part of async.hpp.
#pragma once

#include "seawall/cache/flight.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/intrusive/list.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace seawall::detail {

class async_waiter;

/// A handler that waits, and its executor, which has work until it is called.
class parked {
 public:
  explicit parked(const boost::asio::any_io_executor& where)
      : executor(boost::asio::prefer(where, boost::asio::execution::outstanding_work.tracked)) {}
  virtual ~parked() = default;
  parked(const parked&) = delete;
  parked& operator=(const parked&) = delete;

  virtual void resume() = 0;

  const boost::asio::any_io_executor executor;
};

/// Those who wait on one Asio context, which they end with: its end destroys their handlers, as those of any Asio
/// operation. Whoever is woken is posted; several that are woken before the first has run share one handler of their
/// executor. Thread safety: all members may be called from any thread.
class parking_lot : public std::enable_shared_from_this<parking_lot> {
 public:
  using hook = boost::intrusive::list_base_hook<>;

  /// That of the executor's context.
  static std::shared_ptr<parking_lot> of(const boost::asio::any_io_executor& executor);

  /// False: the context is ending, and so has the handler.
  bool add(async_waiter& who, std::unique_ptr<parked> what);
  /// Posts the handler, if `who` has one here.
  void release(async_waiter& who);

 private:
  class service;
  class batch;
  struct run;
  // So few that the threads of a pool share those who are woken together.
  static constexpr std::size_t most_together = 16;

  void close();
  void begin(const batch& which) noexcept {
    const std::lock_guard lock{mutex_};
    if (growing_ == &which) growing_ = nullptr;
  }

  std::mutex mutex_;
  boost::intrusive::list<async_waiter, boost::intrusive::base_hook<hook>, boost::intrusive::constant_time_size<false>>
      waiting_;               // guarded by mutex_
  batch* growing_ = nullptr;  // guarded by mutex_: posted, and not begun
  bool closed_ = false;       // guarded by mutex_
};

/// A wake-up that comes before the wait is not lost.
class async_waiter final : public waiter,
                           public std::enable_shared_from_this<async_waiter>,
                           public parking_lot::hook {
 public:
  void wake() noexcept override {
    if (state_.exchange(state::signalled, std::memory_order_acq_rel) == state::waits) lot_->release(*this);
  }

  /// Completes after a wake, or when the operation is cancelled; on `executor`, which is the same for all calls.
  template <class Token>
  auto async_wait(const boost::asio::any_io_executor& executor, Token&& token) {
    return boost::asio::async_initiate<Token, void()>(
        [self = shared_from_this(), &executor](auto handler) {
          const auto alive = self;  // what the initiation holds may be gone as soon as the handler is parked
          auto slot = boost::asio::get_associated_cancellation_slot(handler);
          if (slot.is_connected()) {
            // Weakly: the user's signal may outlive the coroutine.
            slot.assign([weak = alive->weak_from_this()](boost::asio::cancellation_type) {
              if (const auto one = weak.lock()) one->cancel();
            });
          }
          alive->park(executor, std::make_unique<handler_of<decltype(handler)>>(executor, std::move(handler)));
        },
        token);
  }

  /// Whether there was a wake since the last call.
  bool take_signal() noexcept {
    return state_.exchange(state::runs, std::memory_order_acq_rel) == state::signalled;
  }

 private:
  friend class parking_lot;
  enum class state : unsigned char { runs, waits, signalled };

  template <class Handler>
  struct handler_of final : parked {
    handler_of(const boost::asio::any_io_executor& where, Handler&& what) : parked(where), handler(std::move(what)) {}
    void resume() override { std::move(handler)(); }
    Handler handler;
  };

  void park(const boost::asio::any_io_executor& executor, std::unique_ptr<parked> what) {
    if (!lot_) lot_ = parking_lot::of(executor);
    if (!lot_->add(*this, std::move(what))) return;
    state before = state::runs;
    if (!state_.compare_exchange_strong(before, state::waits, std::memory_order_acq_rel)) lot_->release(*this);
  }

  void cancel() {
    state before = state::waits;
    if (state_.compare_exchange_strong(before, state::runs, std::memory_order_acq_rel)) lot_->release(*this);
  }

  std::atomic<state> state_{state::runs};
  std::shared_ptr<parking_lot> lot_;  // written before `state_` is `waits` for the first time
  std::unique_ptr<parked> handler_;   // guarded by the lot's mutex
};

/// Keeps the lot of a context.
class parking_lot::service final : public boost::asio::execution_context::service {
 public:
  static inline boost::asio::execution_context::id id;

  explicit service(boost::asio::execution_context& of) : boost::asio::execution_context::service(of) {}

  const std::shared_ptr<parking_lot> lot = std::make_shared<parking_lot>();

 private:
  void shutdown() override { lot->close(); }
};

/// Handlers of one executor that were woken together. Posted, it belongs to the executor's queue.
class parking_lot::batch {
 public:
  batch(std::shared_ptr<parking_lot> of, std::unique_ptr<parked> first)
      : lot_(std::move(of)), executor_(first->executor) {
    add(std::move(first));
  }
  ~batch() { lot_->begin(*this); }
  batch(const batch&) = delete;
  batch& operator=(const batch&) = delete;

  bool takes(const parked& one) const { return all_.size() < most_together && executor_ == one.executor; }
  void add(std::unique_ptr<parked> one) { all_.push_back(std::move(one)); }

  static void post(std::unique_ptr<batch> which);

 private:
  friend struct run;

  const std::shared_ptr<parking_lot> lot_;
  const boost::asio::any_io_executor executor_;
  boost::container::small_vector<std::unique_ptr<parked>, most_together> all_;  // until it begins, the lot's mutex
  std::size_t next_ = 0;
};

struct parking_lot::run {
  std::unique_ptr<batch> which;

  void operator()() {
    which->lot_->begin(*which);
    try {
      while (which->next_ != which->all_.size()) {
        const auto one = std::move(which->all_[which->next_++]);
        one->resume();
      }
    } catch (...) {  // of the user's completion handler: it goes to whoever runs the context; the others go on
      if (which->next_ != which->all_.size()) batch::post(std::move(which));
      throw;
    }
  }
};

inline void parking_lot::batch::post(std::unique_ptr<batch> which) {
  // No copy, which would share its target with the batch: Asio counts by a fence, which ThreadSanitizer cannot see.
  const auto executor = boost::asio::prefer(which->executor_, boost::asio::execution::outstanding_work.untracked);
  boost::asio::post(executor, run{std::move(which)});
}

inline std::shared_ptr<parking_lot> parking_lot::of(const boost::asio::any_io_executor& executor) {
  return boost::asio::use_service<service>(boost::asio::query(executor, boost::asio::execution::context)).lot;
}

inline bool parking_lot::add(async_waiter& who, std::unique_ptr<parked> what) {
  const std::lock_guard lock{mutex_};
  if (closed_) return false;
  who.handler_ = std::move(what);
  waiting_.push_back(who);
  return true;
}

inline void parking_lot::release(async_waiter& who) {
  std::unique_ptr<batch> made;
  {
    const std::lock_guard lock{mutex_};
    if (!who.is_linked()) return;
    waiting_.erase(waiting_.iterator_to(who));
    if (growing_ && growing_->takes(*who.handler_)) return growing_->add(std::move(who.handler_));
    made = std::make_unique<batch>(shared_from_this(), std::move(who.handler_));
    growing_ = made.get();
  }
  batch::post(std::move(made));
}

// What a coroutine that is destroyed holds may wake others.
inline void parking_lot::close() {
  for (;;) {
    std::unique_ptr<parked> destroyed;
    const std::lock_guard lock{mutex_};
    closed_ = true;
    if (waiting_.empty()) return;
    destroyed = std::move(waiting_.front().handler_);
    waiting_.pop_front();
  }
}

}  // namespace seawall::detail
