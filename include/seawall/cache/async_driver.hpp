// The Asio driver: runs a load machine in a coroutine. Part of async.hpp.
#pragma once

#include "seawall/cache/async_loader.hpp"
#include "seawall/cache/async_waiter.hpp"
#include "seawall/cache/load_op.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace seawall::detail {

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
      co_await self->async_wait(executor, boost::asio::use_awaitable);
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
