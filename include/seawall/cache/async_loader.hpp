// Running a caller's loader inside a coroutine, be it a coroutine itself or a plain function. Part of async.hpp.
#pragma once

#include "seawall/cache/loaded.hpp"
#include "seawall/cache/running_load.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace seawall::detail {

/// How an asynchronous call holds the loader it was given: an lvalue by address, since the caller keeps it alive; a
/// trivial rvalue (no captures, or captures by reference) as a copy. Others are refused: GCC 12 destroys such a
/// temporary twice when it stands inside a co_await expression.
template <class L, bool by_address>
struct kept_loader {
  L* address;
  L& get() noexcept { return *address; }
};
template <class L>
struct kept_loader<L, false> {
  [[no_unique_address]] L copy{};
  L& get() noexcept { return copy; }
};

template <class L>
auto keep_loader(L&& loader) noexcept {
  using type = std::remove_reference_t<L>;
  if constexpr (std::is_lvalue_reference_v<L>) {
    return kept_loader<type, true>{&loader};
  } else {
    static_assert(std::is_trivially_copyable_v<type> && std::is_trivially_destructible_v<type>,
                  "seawall: an asynchronous verb takes a loader that owns something as a named variable (an lvalue) "
                  "which outlives the operation, not as a temporary");
    return kept_loader<std::remove_cv_t<type>, false>{loader};
  }
}

template <class T>
inline constexpr bool is_awaitable = false;
template <class T, class E>
inline constexpr bool is_awaitable<boost::asio::awaitable<T, E>> = true;

/// An executor that opens a running_load_scope around everything it runs: how a loader that is a coroutine stays known
/// as this key's loader over its suspensions and on whichever thread it continues.
class load_executor {
 public:
  load_executor(boost::asio::any_io_executor inner, std::shared_ptr<const running_load> load)
      : inner_(std::move(inner)), load_(std::move(load)) {}

  template <class Property>
    requires boost::asio::can_require_v<boost::asio::any_io_executor, Property>
  load_executor require(const Property& property) const {
    return {boost::asio::require(inner_, property), load_};
  }
  template <class Property>
    requires boost::asio::can_prefer_v<boost::asio::any_io_executor, Property>
  load_executor prefer(const Property& property) const {
    return {boost::asio::prefer(inner_, property), load_};
  }
  template <class Property>
    requires boost::asio::can_query_v<boost::asio::any_io_executor, Property>
  decltype(auto) query(const Property& property) const {
    return boost::asio::query(inner_, property);
  }

  template <class Function>
  void execute(Function&& function) const {
    inner_.execute([load = load_, run = std::forward<Function>(function)]() mutable {
      const running_load_scope scope{load.get()};
      std::move(run)();
    });
  }

  friend bool operator==(const load_executor&, const load_executor&) noexcept = default;

 private:
  boost::asio::any_io_executor inner_;
  std::shared_ptr<const running_load> load_;
};

/// Starts a coroutine and cancels it, from any thread. Both happen on a strand, on which the coroutine runs too: a
/// cancellation signal must not be emitted while its receiver runs or is set up. After the end nothing happens.
class remote_cancellation : public std::enable_shared_from_this<remote_cancellation> {
 public:
  explicit remote_cancellation(const boost::asio::any_io_executor& executor)
      : strand_(boost::asio::make_strand(executor)) {}

  const boost::asio::any_io_executor& strand() const noexcept { return strand_; }

  /// Runs `spawn(slot)` on the strand.
  template <class Spawn>
  void start(Spawn spawn) {
    boost::asio::post(strand_, [self = shared_from_this(), run = std::move(spawn)]() mutable {
      std::move(run)(self->signal_.slot());
      self->started_ = true;
      if (self->requested_) self->emit();
    });
  }

  void request() {
    boost::asio::post(strand_, [self = weak_from_this()] {
      const auto alive = self.lock();
      if (!alive) return;
      alive->requested_ = true;
      if (alive->started_) alive->emit();
    });
  }

 private:
  void emit() { signal_.emit(boost::asio::cancellation_type::terminal); }

  const boost::asio::any_io_executor strand_;
  boost::asio::cancellation_signal signal_;  // all three are touched on the strand only
  bool started_ = false;
  bool requested_ = false;
};

/// `work`, after which the coroutine that Asio has put around it no longer throws because it was cancelled: in Boost
/// 1.81 nothing would catch that.
template <class T>
boost::asio::awaitable<T> ends_quietly(boost::asio::awaitable<T> work) {
  std::exception_ptr thrown;
  std::optional<T> outcome;
  try {
    outcome.emplace(co_await std::move(work));
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(*outcome);
}

/// Runs `work` on the executor of its caller, marked as `here`; its outcome as loaded<V>. The caller's cancellation and
/// `stop` cancel it.
template <class V, class T>
boost::asio::awaitable<loaded<V>> run_marked(boost::asio::awaitable<T> work, std::stop_token stop,
                                             std::shared_ptr<const running_load> here) {
  const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
  const auto cancellation = std::make_shared<remote_cancellation>(executor);
  const std::stop_callback on_stop{std::move(stop), [&] { cancellation->request(); }};
  std::exception_ptr thrown;
  std::optional<T> outcome;
  const auto start = [&](auto handler) {
    if (auto outer = boost::asio::get_associated_cancellation_slot(handler); outer.is_connected()) {
      // Weakly: the user's signal may outlive the context that the strand belongs to.
      outer.assign([held = std::weak_ptr(cancellation)](boost::asio::cancellation_type) {
        if (const auto alive = held.lock()) alive->request();
      });
    }
    // Posted, not called: the caller must not go on inside the scope of its loader.
    auto finish = [&thrown, &outcome, executor, done = std::move(handler)](std::exception_ptr failure,
                                                                           T value) mutable {
      thrown = std::move(failure);
      if (!thrown) outcome.emplace(std::move(value));
      boost::asio::post(executor, std::move(done));
    };
    cancellation->start([marked = load_executor{cancellation->strand(), here}, quiet = ends_quietly(std::move(work)),
                         end = std::move(finish)](auto slot) mutable {
      boost::asio::co_spawn(marked, std::move(quiet), boost::asio::bind_cancellation_slot(slot, std::move(end)));
    });
  };
  using token = boost::asio::use_awaitable_t<>;
  co_await boost::asio::async_initiate<const token&, void()>(start, boost::asio::use_awaitable);
  if (!thrown) co_return to_loaded<V>(*std::move(outcome));
  try {
    std::rethrow_exception(thrown);
  } catch (...) {
    co_return loaded<V>(current_failure());
  }
}

/// Calls a loader in any of its forms. The answer of a coroutine needs a default constructor, as Asio has it.
template <class V, class Loader, class K>
boost::asio::awaitable<loaded<V>> run_async_loader(Loader& kept, const K& key, load_context<V>& context,
                                                   std::shared_ptr<const running_load> here) {
  auto& loader = kept.get();
  const auto call = [&] { return invoke_loader<V>(loader, key, context); };
  if constexpr (is_awaitable<decltype(call())>) {
    std::optional<decltype(call())> work;
    std::optional<error> failure;
    try {
      const running_load_scope scope{here.get()};
      work.emplace(call());
    } catch (...) {
      failure = current_failure();
    }
    if (failure) co_return loaded<V>(*failure);
    auto running = run_marked<V>(std::move(*work), context.stop_token(), here);
    co_return co_await std::move(running);
  } else {
    const running_load_scope scope{here.get()};
    co_return call_loader<V>(loader, key, context);
  }
}

}  // namespace seawall::detail
