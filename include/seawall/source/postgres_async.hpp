// Statements on PostgreSQL for Boost.Asio: no thread waits, neither for a connection nor for the server.
//
//   auto cheap = co_await postgres::async_query<product>(*db, "SELECT ... WHERE price < $1", 100, use_awaitable);
//   auto done = co_await postgres::async_execute(*db, "UPDATE products SET price = $2 WHERE id = $1", 7, 990, token);
//
//   const auto load = postgres::async_row<product>(db, "SELECT ... FROM products WHERE id = $1");
//   auto one = co_await products.async_get_or_load(7, load, use_awaitable);
//
// Arguments, rows and errors are those of the blocking verbs, and so are the connections, their limits and their line
// of waiting calls: see postgres.hpp. The handler runs on its associated executor, through its queue.
// Cancellation answers errc::cancelled and gives the connection up; the server may go on until its statement_timeout,
// and a statement that writes may have taken place.
// Not for transactions: `transact` on a thread.
// Thread safety: any thread. A database may go while operations are in progress.
#pragma once

#include "seawall/source/postgres.hpp"
#include "seawall/source/sql_loader.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::postgres {
namespace detail {

struct order {
  std::string statement;
  sql::arguments given;
  sql::access how = sql::access::read;
  boost::asio::any_io_executor executor;
  boost::asio::cancellation_slot slot;
  std::move_only_function<void(result<sql::rows>)> done;  // posted to the executor
};

struct starter {
  static void start(database& on, order&& what) { on.start(std::move(what)); }
};

/// Starts `statement`; the handler is given what `map` makes of its rows.
template <class Answer, class Map, class Token>
auto initiate(database& on, std::string statement, sql::arguments given, sql::access how, Map map, Token&& token) {
  return boost::asio::async_initiate<Token, void(Answer)>(
      [&on, how, map](auto handler, std::string text, sql::arguments with) {
        boost::asio::any_io_executor executor =
            boost::asio::get_associated_executor(handler, boost::asio::system_executor{});
        const auto slot = boost::asio::get_associated_cancellation_slot(handler);
        auto done = [map, to = std::move(handler)](result<sql::rows> found) mutable {
          std::move(to)(Answer(map(std::move(found))));
        };
        starter::start(on, {std::move(text), std::move(with), how, std::move(executor), slot, std::move(done)});
      },
      token, std::move(statement), std::move(given));
}

/// Splits "argument, ..., token".
template <class Parts, std::size_t... I>
sql::arguments arguments_before(const Parts& parts, std::index_sequence<I...>) {
  return sql::arguments_of(std::get<I>(parts)...);
}

template <class T>
result<std::vector<T>> all_as(const result<sql::rows>& found) {
  const auto as = [](const sql::row_view& row) { return row.as<T>(); };
  return sql::mapped_rows(found, as);
}

inline result<sql::changes> only_changes(result<sql::rows> found) {
  if (!found) return std::unexpected(std::move(found).error());
  return found->changed;
}

}  // namespace detail

/// All rows, each as a T: async_query<T>(db, statement, arguments..., token), for void(result<std::vector<T>>).
template <class T, class... Rest>
  requires(sizeof...(Rest) > 0)
auto async_query(database& on, std::string statement, Rest&&... rest) {
  const auto parts = std::forward_as_tuple(std::forward<Rest>(rest)...);
  constexpr std::size_t count = sizeof...(Rest) - 1;
  using token = std::tuple_element_t<count, std::tuple<Rest&&...>>;
  return detail::initiate<result<std::vector<T>>>(
      on, std::move(statement), detail::arguments_before(parts, std::make_index_sequence<count>{}), sql::access::read,
      &detail::all_as<T>, static_cast<token>(std::get<count>(parts)));
}

/// Runs a statement that changes something: async_execute(db, statement, arguments..., token), for
/// void(result<sql::changes>).
template <class... Rest>
  requires(sizeof...(Rest) > 0)
auto async_execute(database& on, std::string statement, Rest&&... rest) {
  const auto parts = std::forward_as_tuple(std::forward<Rest>(rest)...);
  constexpr std::size_t count = sizeof...(Rest) - 1;
  using token = std::tuple_element_t<count, std::tuple<Rest&&...>>;
  return detail::initiate<result<sql::changes>>(
      on, std::move(statement), detail::arguments_before(parts, std::make_index_sequence<count>{}), sql::access::write,
      &detail::only_changes, static_cast<token>(std::get<count>(parts)));
}

/// What `async_row` makes: a coroutine of one key.
template <class T>
class async_row_loader {
 public:
  async_row_loader(std::shared_ptr<database> db, std::string statement, sql::row_options how)
      : db_(std::move(db)), statement_(std::move(statement)), how_(std::move(how)) {}

  template <class K>
  boost::asio::awaitable<std::optional<loaded<T>>> operator()(const K& key) const {
    sql::arguments given;
    given.add_key(key);
    auto asked = detail::initiate<result<sql::rows>>(*db_, statement_, std::move(given), sql::access::read,
                                                     std::identity{}, boost::asio::use_awaitable);
    const result<sql::rows> found = co_await std::move(asked);
    co_return answer_of(found);
  }

 private:
  std::optional<loaded<T>> answer_of(const result<sql::rows>& found) const {
    if (!found) return loaded<T>(found.error());
    if (found->size() == 0) return std::nullopt;
    const sql::row_view row = (*found)[0];
    if (found->size() != 1) {
      return loaded<T>(row.problem("there are " + std::to_string(found->size()) + " for one key"));
    }
    auto made = row.template as<T>();
    if (!made) return loaded<T>(std::move(made).error());
    auto answer = sql::detail::to_answer<T>(*std::move(made), row, how_);
    if (!answer) return loaded<T>(std::move(answer).error());
    return *std::move(answer);
  }

  std::shared_ptr<database> db_;
  std::string statement_;
  sql::row_options how_;
};

/// A loader of one row for `async_get_or_load`: keep it in a variable that outlives the operation.
template <class T>
async_row_loader<T> async_row(std::shared_ptr<database> db, std::string statement, sql::row_options how = {}) {
  return {std::move(db), std::move(statement), std::move(how)};
}

}  // namespace seawall::postgres
