// The Asio driver: runs a load machine in a coroutine. Part of async.hpp.
#pragma once

#include "seawall/cache/async_loader.hpp"
#include "seawall/cache/load_op.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace seawall::detail {

/// A coroutine that waits. A wake-up that comes before the wait is not lost; one that comes during it resumes the
/// coroutine on its own executor, never inside wake().
class async_waiter final : public waiter, public std::enable_shared_from_this<async_waiter> {
 public:
  void wake() noexcept override { complete({}); }

  /// Completes with void(error_code) after a wake, or with operation_aborted when cancelled.
  template <class Token>
  auto async_wait(Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        [self = shared_from_this()](auto handler) { self->begin(std::move(handler)); }, token);
  }

 private:
  using completion = std::move_only_function<void(boost::system::error_code)>;

  template <class Handler>
  void begin(Handler handler) {
    if (auto slot = boost::asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
      slot.assign([self = weak_from_this()](boost::asio::cancellation_type) {
        if (const auto alive = self.lock()) alive->complete(boost::asio::error::operation_aborted);
      });
    }
    auto executor = boost::asio::get_associated_executor(handler);
    completion resume = [executor, held = std::move(handler)](boost::system::error_code code) mutable {
      boost::asio::post(executor, [woken = std::move(held), code]() mutable { std::move(woken)(code); });
    };
    std::unique_lock lock{mutex_};
    if (signalled_) {
      signalled_ = false;
      lock.unlock();
      resume({});
    } else {
      pending_ = std::move(resume);
    }
  }

  void complete(boost::system::error_code code) {
    completion resume;
    {
      const std::lock_guard lock{mutex_};
      if (!pending_) {
        if (!code) signalled_ = true;
        return;
      }
      resume = std::exchange(pending_, nullptr);
    }
    resume(code);
  }

  std::mutex mutex_;
  completion pending_;      // guarded by mutex_
  bool signalled_ = false;  // guarded by mutex_
};

template <class Core, class Loader>
boost::asio::awaitable<typename Core::answer> drive_async(std::shared_ptr<Core> core, typename Core::key_type key,
                                                          std::size_t hash, typename load_op<Core>::settings how,
                                                          Loader loader) {
  using V = typename Core::value_type;
  lookup<V> found = core->look(key, hash);
  if (found.is == standing::fresh) {
    core->count(core->class_of(key), found.value ? cache_counter::hits : cache_counter::negative_hits);
    co_return std::move(found.value);
  }
  const auto self = std::make_shared<async_waiter>();
  load_op<Core> op{core, std::move(key), hash, self, how};
  for (step next = op.start(std::move(found)); next != step::done;) {
    if (next == step::run_loader) {
      const running_load here = op.running();
      auto running = run_async_loader<V>(loader, op.key(), op.context(), &here);
      loaded<V> given = co_await std::move(running);
      next = op.loaded(std::move(given));
    } else {
      boost::system::error_code code;
      co_await self->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, code));
      if (code) {
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
