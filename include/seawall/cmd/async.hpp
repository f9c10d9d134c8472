// Running commands asynchronously, for Boost.Asio. Include it where it is used.
//
//     auto user = co_await cmd::async_run(redis, cmd::get<user>("user:42"), boost::asio::use_awaitable);
//     auto [hits, name] = co_await cmd::async_run(redis, cmd::incr("hits"), cmd::get("name"), use_awaitable);
//     auto done = co_await cmd::async_transaction(redis, cmd::set("a", 1), cmd::incr("b"), use_awaitable);
//
// Results are those of run.hpp. The handler runs on its associated executor: at once if the target ends the command on
// a thread of that executor, else through its queue; a handler without an executor runs on a thread of the target. An
// exception of a handler on a thread of the target ends the program; one of a coroutine goes the coroutine's way.
// The memory of the operation comes from the handler's associated allocator.
// Cancellation (terminal and partial; total too for commands that only read) abandons the command and answers
// errc::cancelled; the server may have applied it.
// Thread safety: any thread, those of the target included.
#pragma once

#include "seawall/cmd/async_operation.hpp"
#include "seawall/cmd/run.hpp"

#include <boost/asio/async_result.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::cmd {

namespace detail {

template <class T>
inline constexpr bool is_command = false;
template <class T>
inline constexpr bool is_command<command<T>> = true;

/// None of the arguments is a command that its owner keeps: taking what it holds would leave it empty.
template <class... Arguments>
inline constexpr bool hand_over_commands =
    (!(std::is_lvalue_reference_v<Arguments> && is_command<std::remove_cvref_t<Arguments>>) && ...);

/// Starts an `Operation<..., Handler>` for `Signature`; `what` is moved into it.
template <template <class> class Operation, class Signature, class Token, class... What>
auto initiate(target& where, Token&& token, What&&... what) {
  return boost::asio::async_initiate<Token, Signature>(
      [&where](auto handler, auto&&... commands) {
        using operation = Operation<std::decay_t<decltype(handler)>>;
        operation::start(where, std::move(handler), std::forward<decltype(commands)>(commands)...);
      },
      token, std::forward<What>(what)...);
}

template <class... T>
struct operations {
  template <class Handler>
  using batch = async_batch<Handler, batch_tuple<T...>, std::tuple<command<T>...>>;
  template <class Handler>
  using transaction =
      async_transaction<Handler, transaction_tuple<transaction_request, T...>, std::tuple<command<T>...>>;
};

template <class T>
struct list_operations {
  template <class Handler>
  using single = async_single<Handler, T>;
  template <class Handler>
  using batch = async_batch<Handler, batch_list<T>, std::vector<command<T>>>;
  template <class Handler>
  using transaction = async_transaction<Handler, transaction_list<transaction_request, T>, std::vector<command<T>>>;
};

/// The arguments of a variadic call: all but the last are commands, the last is the token.
template <class... T>
struct variadic {
  template <class Token>
  static auto run(target& where, Token&& token, command<T>... what) {
    using outcome = std::tuple<result<T>...>;
    return initiate<operations<T...>::template batch, void(outcome)>(where, std::forward<Token>(token),
                                                                     std::tuple<command<T>...>{std::move(what)...});
  }
  template <class Token>
  static auto transaction(target& where, Token&& token, command<T>... what) {
    using outcome = result<std::tuple<result<T>...>>;
    return initiate<operations<T...>::template transaction, void(outcome)>(
        where, std::forward<Token>(token), std::tuple<command<T>...>{std::move(what)...});
  }
};

template <class All, std::size_t... I>
using variadic_of = variadic<typename std::remove_cvref_t<std::tuple_element_t<I, All>>::result_type...>;

/// An element of a tuple of references as it was handed in: a token that was an lvalue is still its owner's.
template <std::size_t I, class All>
std::tuple_element_t<I, All>&& forwarded(All& all) noexcept {
  return static_cast<std::tuple_element_t<I, All>&&>(std::get<I>(all));
}

template <class All, std::size_t... I>
auto run_all(target& where, All all, std::index_sequence<I...>) {
  return variadic_of<All, I...>::run(where, forwarded<sizeof...(I)>(all), forwarded<I>(all)...);
}

template <class All, std::size_t... I>
auto transact_all(target& where, All all, std::index_sequence<I...>) {
  return variadic_of<All, I...>::transaction(where, forwarded<sizeof...(I)>(all), forwarded<I>(all)...);
}

}  // namespace detail

/// Runs one command; completes with `result<T>`.
template <class T, class Token>
  requires(!detail::is_command<std::remove_cvref_t<Token>>)
auto async_run(target& where, command<T> what, Token&& token) {
  return detail::initiate<detail::list_operations<T>::template single, void(result<T>)>(
      where, std::forward<Token>(token), std::move(what));
}

/// Runs commands as one pipeline; the token comes last. Completes with std::tuple<result<A>, result<B>, ...>.
template <class A, class B, class... Rest>
  requires(sizeof...(Rest) > 0)
auto async_run(target& where, command<A> a, command<B> b, Rest&&... rest_and_token) {
  static_assert(detail::hand_over_commands<Rest...>, "a command is moved into the operation: pass std::move(command)");
  return detail::run_all(
      where, std::forward_as_tuple(std::move(a), std::move(b), std::forward<Rest>(rest_and_token)...),
      std::make_index_sequence<sizeof...(Rest) + 1>{});
}

/// Runs commands of one kind as one pipeline; completes with std::vector<result<T>>.
template <class T, class Token>
auto async_run(target& where, std::vector<command<T>> what, Token&& token) {
  return detail::initiate<detail::list_operations<T>::template batch, void(std::vector<result<T>>)>(
      where, std::forward<Token>(token), std::move(what));
}

/// Runs commands between MULTI and EXEC; the token comes last. Completes with what `transaction` returns.
template <class A, class... Rest>
  requires(sizeof...(Rest) > 0)
auto async_transaction(target& where, command<A> a, Rest&&... rest_and_token) {
  static_assert(detail::hand_over_commands<Rest...>, "a command is moved into the operation: pass std::move(command)");
  return detail::transact_all(where, std::forward_as_tuple(std::move(a), std::forward<Rest>(rest_and_token)...),
                              std::make_index_sequence<sizeof...(Rest)>{});
}
template <class T, class Token>
auto async_transaction(target& where, std::vector<command<T>> what, Token&& token) {
  return detail::initiate<detail::list_operations<T>::template transaction, void(result<std::vector<result<T>>>)>(
      where, std::forward<Token>(token), std::move(what));
}

}  // namespace seawall::cmd
