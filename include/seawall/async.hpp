// The asynchronous verbs of seawall::cache, for Boost.Asio. Include it where they are used.
//
//   auto load_user = [&](UserId id) -> boost::asio::awaitable<std::optional<User>> { ... };
//   auto user = co_await users.async_get_or_load(id, load_user, boost::asio::use_awaitable);
//
// With use_awaitable a fresh value is returned without a trip through the event loop. Threads and coroutines that need
// one key join one load. A coroutine that is cancelled or destroyed while its loader runs abandons the load, and a
// waiter takes over; its own call answers errc::cancelled, or throws as Asio's coroutines do when they are cancelled.
// A loader that is a coroutine is cancelled (terminal) when the load's time is up.
#pragma once

#include "seawall/cache.hpp"
#include "seawall/cache/async_driver.hpp"

#include <boost/asio/executor_work_guard.hpp>

namespace seawall {

template <class K, class V, class Hash, class Eq>
template <class Q, class Loader, class Token>
  requires(!std::same_as<std::remove_cvref_t<Loader>, entry_options>)
auto cache<K, V, Hash, Eq>::async_get_or_load(const Q& key, Loader&& loader, const entry_options& how, Token&& token) {
  decltype(auto) wanted = as_key(key);
  const std::size_t hash = core_->hash_of(wanted);
  return detail::start_async(core_, K(wanted), hash, settings_of(how, nullptr),
                             detail::keep_loader(std::forward<Loader>(loader)), std::forward<Token>(token));
}

template <class K, class V, class Hash, class Eq>
template <class Q, class Loader, class Token>
  requires(!std::same_as<std::remove_cvref_t<Loader>, entry_options> &&
           !std::same_as<std::remove_cvref_t<Token>, entry_options>)
auto cache<K, V, Hash, Eq>::async_get_or_load(const Q& key, Loader&& loader, Token&& token) {
  return async_get_or_load(key, std::forward<Loader>(loader), entry_options{}, std::forward<Token>(token));
}

template <class K, class V, class Hash, class Eq>
template <class Q, class Token>
auto cache<K, V, Hash, Eq>::async_get_or_load(const Q& key, const entry_options& how, Token&& token) {
  decltype(auto) wanted = as_key(key);
  const std::size_t hash = core_->hash_of(wanted);
  const auto& bound = core_->options().loader;
  return detail::start_async(core_, K(wanted), hash, settings_of(how, bound ? &bound : nullptr),
                             detail::kept_loader<detail::no_loader, false>{}, std::forward<Token>(token));
}

template <class K, class V, class Hash, class Eq>
template <class Q, class Token>
  requires(!std::same_as<std::remove_cvref_t<Token>, entry_options>)
auto cache<K, V, Hash, Eq>::async_get_or_load(const Q& key, Token&& token) {
  return async_get_or_load(key, entry_options{}, std::forward<Token>(token));
}

namespace detail {

/// A handler that is posted to its executor, which is kept working for it, with what it is called with.
template <class Handler>
auto posted(Handler handler) {
  auto executor = boost::asio::get_associated_executor(handler);
  return [work = boost::asio::make_work_guard(executor), end = std::move(handler)](auto... outcome) mutable {
    boost::asio::post(work.get_executor(),
                      [done = std::move(end), outcome...]() mutable { std::move(done)(outcome...); });
  };
}

}  // namespace detail

template <class K, class V, class Hash, class Eq>
template <class Q, class Token>
auto cache<K, V, Hash, Eq>::async_invalidate(const Q& key, Token&& token) {
  decltype(auto) wanted = as_key(key);
  return boost::asio::async_initiate<Token, void(bool)>(
      [core = core_](auto handler, K which, std::size_t hash) {
        core->begin_invalidate(std::move(which), hash, detail::posted(std::move(handler)));
      },
      token, K(wanted), core_->hash_of(wanted));
}

template <class K, class V, class Hash, class Eq>
template <class Token>
auto cache<K, V, Hash, Eq>::async_invalidate_prefix(std::string_view prefix, const prefix_options& how, Token&& token) {
  return boost::asio::async_initiate<Token, void(result<prefix_removal>)>(
      [core = core_](auto handler, std::string which, prefix_options limits) {
        prefix_invalidation<core_type>::begin(core, std::move(which), std::move(limits),
                                              detail::posted(std::move(handler)));
      },
      token, std::string{prefix}, how);
}

template <class K, class V, class Hash, class Eq>
template <class Token>
auto cache<K, V, Hash, Eq>::async_invalidate_prefix(std::string_view prefix, Token&& token) {
  const prefix_options usual;
  return async_invalidate_prefix(prefix, usual, std::forward<Token>(token));
}

namespace detail {

template <class V, class Value>
value_ptr<V> keep_value(Value&& value) {
  using type = std::remove_cvref_t<Value>;
  if constexpr (std::is_convertible_v<Value, value_ptr<V>> && !std::is_same_v<type, V>) {
    return std::forward<Value>(value);
  } else {
    static_assert(std::is_lvalue_reference_v<Value> || !std::is_aggregate_v<type> || std::is_array_v<type> ||
                      std::is_trivially_destructible_v<type>,
                  "seawall: async_put takes a value that is an aggregate and owns something as a named variable (an "
                  "lvalue), or as a shared_ptr, not as a temporary");
    return std::make_shared<const V>(std::forward<Value>(value));
  }
}

}  // namespace detail

template <class K, class V, class Hash, class Eq>
template <class Q, class Value, class Token>
auto cache<K, V, Hash, Eq>::async_put(const Q& key, Value&& value, const entry_options& how, Token&& token) {
  decltype(auto) wanted = as_key(key);
  return boost::asio::async_initiate<Token, void()>(
      [core = core_](auto handler, K which, std::size_t hash, value_ptr<V> kept, const entry_options& told) {
        put_call<core_type>::begin(core, std::move(which), hash, std::move(kept), core->policy().with(told), told.tags,
                                   told.version.value_or(0), detail::posted(std::move(handler)));
      },
      token, K(wanted), core_->hash_of(wanted), detail::keep_value<V>(std::forward<Value>(value)), how);
}

template <class K, class V, class Hash, class Eq>
template <class Q, class Value, class Token>
  requires(!std::same_as<std::remove_cvref_t<Token>, entry_options>)
auto cache<K, V, Hash, Eq>::async_put(const Q& key, Value&& value, Token&& token) {
  return async_put(key, std::forward<Value>(value), no_entry_options, std::forward<Token>(token));
}

template <class K, class V, class Hash, class Eq>
template <class Token>
auto cache<K, V, Hash, Eq>::async_invalidate_tag(std::string_view tag, Token&& token) {
  return boost::asio::async_initiate<Token, void()>(
      [core = core_](auto handler, std::uint64_t which) {
        core->begin_invalidate_tag(which, detail::posted(std::move(handler)));
      },
      token, tag_list::hash_of(tag));
}

}  // namespace seawall
