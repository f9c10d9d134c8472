// The Asio driver: runs a load machine in a coroutine. Part of async.hpp.
#pragma once

#include "seawall/cache/async_loader.hpp"
#include "seawall/cache/load_op.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace seawall::detail {

/// A coroutine that waits. It is parked on a timer of its own executor that never expires, so that destroying the
/// executor's context destroys the coroutine as with any other Asio operation; a wake cancels the timer, on that
/// executor. A wake-up that comes before the wait is not lost.
class async_waiter final : public waiter, public std::enable_shared_from_this<async_waiter> {
 public:
  void wake() noexcept override {
    const std::lock_guard lock{mutex_};
    signalled_ = true;
    release_locked();
  }

  /// Completes after a wake, or when the operation is cancelled.
  template <class Token>
  auto async_wait(const boost::asio::any_io_executor& executor, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        [self = shared_from_this(), executor](auto handler) {
          // Locals: what the initiation holds may be gone as soon as the timer has the handler.
          const auto alive = self;
          const auto parked = std::make_shared<parking>(executor);
          // Asio's cancellation handler points into the timer, so it lives until `take_signal`, when the slot is clear.
          alive->kept_ = parked;
          parked->async_wait(std::move(handler));
          const std::lock_guard lock{alive->mutex_};
          if (alive->retired_) return;
          alive->parked_ = parked;
          if (alive->signalled_) alive->release_locked();
        },
        token);
  }

  /// Whether there was a wake since the last call.
  bool take_signal() {
    const std::lock_guard lock{mutex_};
    parked_ = nullptr;
    kept_ = nullptr;
    return std::exchange(signalled_, false);
  }

  /// The coroutine is gone: a wake does nothing from here on.
  void retire() {
    const std::lock_guard lock{mutex_};
    retired_ = true;
    parked_ = nullptr;
    kept_ = nullptr;
  }

 private:
  // One for each wait: a cancellation that comes late must not meet the next wait.
  struct parking : boost::asio::steady_timer {
    explicit parking(const boost::asio::any_io_executor& executor)
        : boost::asio::steady_timer(executor, boost::asio::steady_timer::time_point::max()) {}
  };

  void release_locked() {
    if (!parked_) return;
    auto timer = std::exchange(parked_, nullptr);
    const auto executor = timer->get_executor();
    boost::asio::post(executor, [held = std::move(timer)] { held->cancel(); });
  }

  std::mutex mutex_;
  std::shared_ptr<parking> kept_;    // touched by the coroutine only
  std::shared_ptr<parking> parked_;  // guarded by mutex_
  bool signalled_ = false;           // guarded by mutex_
  bool retired_ = false;             // guarded by mutex_
};

/// Retires a waiter when its coroutine ends or is destroyed.
class retire_guard {
 public:
  explicit retire_guard(async_waiter& waiter) noexcept : waiter_(waiter) {}
  ~retire_guard() { waiter_.retire(); }
  retire_guard(const retire_guard&) = delete;
  retire_guard& operator=(const retire_guard&) = delete;

 private:
  async_waiter& waiter_;
};

template <class Core, class Loader>
boost::asio::awaitable<typename Core::answer> drive_async(std::shared_ptr<Core> core, typename Core::key_type key,
                                                          std::size_t hash, typename load_op<Core>::settings how,
                                                          Loader loader) {
  using V = typename Core::value_type;
  lookup<V> found = core->look(key, hash);
  if (how.takes(found, core->shared()) && answer_hit(*core, key, found, how.report)) {
    co_return std::move(found.value);
  }
  const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
  const auto self = std::make_shared<async_waiter>();
  const retire_guard retires{*self};
  load_op<Core> op{core, std::move(key), hash, self, how};
  for (step next = op.start(std::move(found)); next != step::done;) {
    if (next == step::run_loader) {
      std::optional<load_mark> marked{op.mark(share_current_load())};
      auto running = run_async_loader<V>(loader, op.key(), op.context(), marked->load());
      loaded<V> given = co_await std::move(running);
      marked.reset();
      // A loader that failed because its caller was cancelled has not failed: a waiter is to take over.
      const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
      if (given.failure() && cancellation.cancelled() != boost::asio::cancellation_type::none) {
        op.cancel();
        co_return fail(errc::cancelled);
      }
      next = op.loaded(std::move(given));
    } else {
      boost::system::error_code ignored;
      co_await self->async_wait(executor, boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
      const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
      cancellation.slot().clear();
      if (!self->take_signal()) {
        op.cancel();
        co_return fail(errc::cancelled);
      }
      next = op.woken();
    }
  }
  co_return op.take();
}

/// Starts the operation in the way of the token: a coroutine is awaited as it is, anything else gets one spawned.
template <class Core, class Loader, class Token>
auto start_async(const std::shared_ptr<Core>& core, typename Core::key_type key, std::size_t hash,
                 const typename load_op<Core>::settings& how, Loader loader, Token&& token) {
  using answer = typename Core::answer;
  if constexpr (std::is_same_v<std::remove_cvref_t<Token>, boost::asio::use_awaitable_t<>>) {
    return drive_async(core, std::move(key), hash, how, std::move(loader));
  } else {
    return boost::asio::async_initiate<Token, void(answer)>(
        [core, hash, how](auto handler, typename Core::key_type wanted, Loader held) {
          auto executor = boost::asio::get_associated_executor(handler);
          auto slot = boost::asio::get_associated_cancellation_slot(handler);
          auto finish = [done = std::move(handler)](const std::exception_ptr& thrown, answer outcome) mutable {
            if (thrown) outcome = fail(errc::cancelled);
            std::move(done)(std::move(outcome));
          };
          boost::asio::co_spawn(
              executor, drive_async(core, std::move(wanted), hash, how, std::move(held)),
              boost::asio::bind_cancellation_slot(slot, boost::asio::bind_executor(executor, std::move(finish))));
        },
        token, std::move(key), std::move(loader));
  }
}

}  // namespace seawall::detail
