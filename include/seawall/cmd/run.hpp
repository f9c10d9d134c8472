// Running commands and waiting for their results, on any target: a client, or the embedded keyspace.
//
//     result<std::optional<std::string>> name = cmd::run(redis, cmd::get("user:42:name"));
//
//     auto [hits, user] = cmd::run(redis, cmd::incr("hits"), cmd::get<user>("user:42"));     // one piece, one wait
//
//     auto done = cmd::transaction(redis, cmd::set("a", 1), cmd::incr("b"));                 // MULTI ... EXEC
//     if (done) use(std::get<1>(*done));                                                     // result<std::int64_t>
//
// Errors: the server's (cmd::errc), those of the way to it, seawall::errc::timed_out, and errc::invalid_argument for a
// command with an argument out of its limits, of which nothing is sent.
// A script that the server does not know (NOSCRIPT) is sent again with its source; in a pipeline this second sending
// comes after all other commands of the pipeline.
// Thread safety: any thread but those of the target, where a client answers with an error at once
// (boost::system::errc::resource_deadlock_would_occur). A command is not changed and may run many times.
#pragma once

#include "seawall/cmd/command.hpp"
#include "seawall/cmd/pending.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/cmd/transaction_request.hpp"

#include <atomic>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace seawall::cmd {

namespace detail {

/// A batch that its thread waits for.
class blocking_batch final : public batch {
 public:
  void run(target& where, std::span<pending* const> all);

 private:
  void all_ended() override;

  std::atomic<bool> done_{false};
};

/// A transaction that its thread waits for.
class blocking_transaction : public transaction_request {
 public:
  void run(target& where);
  void on_end(const error* failure) noexcept final;

 private:
  std::atomic<bool> done_{false};
};

}  // namespace detail

/// Runs one command.
template <class T>
result<T> run(target& where, const command<T>& what) {
  detail::blocking_batch waiting;
  detail::batch_tuple<T> members;
  members.prepare(waiting, where, what);
  waiting.run(where, members.all());
  return std::get<0>(members.take());
}

/// Runs several commands as one pipeline; each has its own result.
template <class A, class B, class... More>
std::tuple<result<A>, result<B>, result<More>...> run(target& where, const command<A>& a, const command<B>& b,
                                                      const command<More>&... more) {
  detail::blocking_batch waiting;
  detail::batch_tuple<A, B, More...> members;
  members.prepare(waiting, where, a, b, more...);
  waiting.run(where, members.all());
  return members.take();
}

/// Runs commands of one kind as one pipeline; results in the same order. No commands: nothing is sent.
template <class T>
std::vector<result<T>> run(target& where, std::span<const command<T>> what) {
  detail::blocking_batch waiting;
  detail::batch_list<T> members;
  members.prepare(waiting, where, what);
  waiting.run(where, members.all());
  return members.take();
}
template <class T>
std::vector<result<T>> run(target& where, const std::vector<command<T>>& what) {
  return run(where, std::span<const command<T>>{what});
}

/// Runs commands between MULTI and EXEC. The outer error: nothing was applied (a command was refused, a watched key
/// changed: errc::watch_failed) or nobody knows (the connection was lost). The inner ones: what single commands met;
/// Redis applies the others all the same.
template <class... T>
result<std::tuple<result<T>...>> transaction(target& where, const command<T>&... what) {
  detail::transaction_tuple<detail::blocking_transaction, T...> asked;
  if (asked.prepare(what...)) asked.run(where);
  return asked.take();
}

/// The same over commands of one kind. No commands: nothing is sent.
template <class T>
result<std::vector<result<T>>> transaction(target& where, std::span<const command<T>> what) {
  detail::transaction_list<detail::blocking_transaction, T> asked;
  if (!what.empty() && asked.prepare(what)) asked.run(where);
  return asked.take();
}
template <class T>
result<std::vector<result<T>>> transaction(target& where, const std::vector<command<T>>& what) {
  return transaction(where, std::span<const command<T>>{what});
}

}  // namespace seawall::cmd
