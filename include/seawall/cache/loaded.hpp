// What a loader answers: a value, "not found", "not modified" or an error, with the entry's own options if it wishes.
//
// A loader is called as f(key), f(key, std::stop_token) or f(key, load_context<V>&) and may return any of
//   V, value_ptr<V>, std::optional<V> (nothing: not found), seawall::not_found, seawall::not_modified, an error,
//   loaded<V>, or a result<> of one of these.
// What it throws becomes an error with the code loader_failed and the exception in error::cause().
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/cache/policy.hpp"
#include "seawall/local/entry.hpp"

#include <boost/system/system_error.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace seawall {

struct not_found_t {};
struct not_modified_t {};
/// The source has no such row. Cached for `negative_ttl`.
inline constexpr not_found_t not_found{};
/// The value that `load_context::previous` gave is still right: it is kept and its TTL starts anew.
inline constexpr not_modified_t not_modified{};

template <class V>
class loaded;

namespace detail {

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<std::expected<T, error>> = true;
template <class T>
inline constexpr bool is_optional_answer = false;
template <class T>
inline constexpr bool is_optional_answer<std::optional<T>> = true;

/// A wrapper to look into; V itself may be an optional, which is then a value like any other.
template <class T, class V>
concept wrapped_answer = !std::same_as<T, V> && (is_result<T> || is_optional_answer<T>);

template <class V, class T>
loaded<V> to_loaded(T&& answer);

}  // namespace detail

template <class V>
class [[nodiscard]] loaded {
 public:
  loaded(value_ptr<V> value) {
    if (value) answer_ = std::move(value);
  }
  template <class T>
    requires(std::constructible_from<V, T> && !std::same_as<std::remove_cvref_t<T>, loaded> &&
             !std::same_as<std::remove_cvref_t<T>, error> && !std::convertible_to<T, value_ptr<V>> &&
             !detail::wrapped_answer<std::remove_cvref_t<T>, V>)
  loaded(T&& value) : answer_(std::make_shared<const V>(std::forward<T>(value))) {}
  template <class T>
    requires detail::wrapped_answer<std::remove_cvref_t<T>, V>
  loaded(T&& wrapper) : loaded(detail::to_loaded<V>(std::forward<T>(wrapper))) {}
  loaded(not_found_t) {}
  loaded(not_modified_t) : answer_(not_modified) {}
  loaded(error failure) : answer_(std::move(failure)) {}
  loaded(std::unexpected<error> failure) : answer_(std::move(failure).error()) {}

  /// The same answer with options of its own for the entry.
  loaded with(const entry_options& options) && {
    options_ = options;
    return std::move(*this);
  }

  /// Adds the tags of `context` to those of the options, where there is room: else it is not stored; and its version
  /// if they name none.
  void add(const entry_options& context) noexcept {
    for (const std::uint64_t tag : context.tags.hashes()) {
      if (!options_.tags.add(tag)) options_.no_store = true;
    }
    if (!options_.version) options_.version = context.version;
  }

  bool is_unmodified() const noexcept { return std::holds_alternative<not_modified_t>(answer_); }
  const error* failure() const noexcept { return std::get_if<error>(&answer_); }
  /// The value; null for an absence. Requires: neither unmodified nor a failure.
  value_ptr<V> value() && noexcept {
    auto* held = std::get_if<value_ptr<V>>(&answer_);
    return held ? std::move(*held) : nullptr;
  }
  const entry_options& options() const noexcept { return options_; }

 private:
  std::variant<not_found_t, value_ptr<V>, not_modified_t, error> answer_;
  entry_options options_;
};

/// What a loader may ask for and decide; the optional second parameter of a loader. Valid during the call only.
template <class V>
class load_context {
 public:
  load_context(std::stop_token stop, value_ptr<V> previous, time_point deadline, std::uint64_t at_least = 0)
      : stop_(std::move(stop)), previous_(std::move(previous)), deadline_(deadline), at_least_(at_least) {}

  /// Asked to stop when the load's time is up, or its value is of no use any more. Callbacks registered on it run on
  /// the clock's thread, which serves all timers of the cache: they must be short and must not wait.
  const std::stop_token& stop_token() const noexcept { return stop_; }
  /// When the load will be given up, on the cache's clock; `never` without a limit.
  time_point deadline() const noexcept { return deadline_; }
  /// The value that is cached, fresh or not, for a conditional request; null when there is none.
  const value_ptr<V>& previous() const noexcept { return previous_; }

  /// The version that the caller who started this load must not be behind (consistency::at_least); 0: any will do. A
  /// loader that usually reads a replica asks the primary then, or waits until the replica has it.
  std::uint64_t at_least() const noexcept { return at_least_; }

  /// Options for this entry, to be set by the loader: they overrule the call's and the cache's.
  entry_options entry;

 private:
  std::stop_token stop_;
  value_ptr<V> previous_;
  time_point deadline_;
  std::uint64_t at_least_;
};

namespace detail {

/// Anything a loader may return, as loaded<V>.
template <class V, class T>
loaded<V> to_loaded(T&& answer) {
  using type = std::remove_cvref_t<T>;
  if constexpr (std::same_as<type, loaded<V>> || std::same_as<type, V> || std::same_as<type, not_found_t> ||
                std::same_as<type, not_modified_t> || std::same_as<type, error> ||
                std::same_as<type, std::unexpected<error>>) {
    return loaded<V>(std::forward<T>(answer));
  } else if constexpr (is_result<type>) {
    if (!answer) return loaded<V>(std::forward<T>(answer).error());
    return to_loaded<V>(*std::forward<T>(answer));
  } else if constexpr (is_optional_answer<type>) {
    if (!answer) return loaded<V>(not_found);
    return to_loaded<V>(*std::forward<T>(answer));
  } else if constexpr (std::convertible_to<T, value_ptr<V>>) {
    return loaded<V>(value_ptr<V>(std::forward<T>(answer)));
  } else {
    static_assert(std::constructible_from<V, T>,
                  "a loader returns V, value_ptr<V>, std::optional<V>, loaded<V>, seawall::not_found, "
                  "seawall::not_modified, or a seawall::result of one of these");
    return loaded<V>(V(std::forward<T>(answer)));
  }
}

/// The exception in flight as an error.
inline error current_failure() {
  auto cause = std::current_exception();
  try {
    std::rethrow_exception(cause);
  } catch (const boost::system::system_error& thrown) {
    return error{thrown.code(), thrown.what(), cause};
  } catch (const std::exception& thrown) {
    return error{errc::loader_failed, std::string{"the loader threw: "} + thrown.what(), cause};
  } catch (...) {
    return error{errc::loader_failed, "the loader threw something that is no std::exception", cause};
  }
}

/// The same where nothing may be thrown: without a message when there is no memory for one.
inline error failure_in_flight() noexcept {
  try {
    return current_failure();
  } catch (...) {
    return error{errc::loader_failed};
  }
}

template <class Loader, class K, class V>
concept loader_of = std::invocable<Loader&, const K&, load_context<V>&> ||
                    std::invocable<Loader&, const K&, std::stop_token> || std::invocable<Loader&, const K&>;

/// Calls a loader in the form that it has; its answer as it comes.
template <class V, class Loader, class K>
decltype(auto) invoke_loader(Loader& loader, const K& key, load_context<V>& context) {
  static_assert(loader_of<Loader, K, V>,
                "a loader is callable as loader(key), loader(key, std::stop_token) or "
                "loader(key, seawall::load_context<V>&)");
  if constexpr (std::invocable<Loader&, const K&, load_context<V>&>) {
    return loader(key, context);
  } else if constexpr (std::invocable<Loader&, const K&, std::stop_token>) {
    return loader(key, context.stop_token());
  } else {
    return loader(key);
  }
}

/// The same with whatever happens turned into loaded<V>.
template <class V, class Loader, class K>
loaded<V> call_loader(Loader& loader, const K& key, load_context<V>& context) noexcept {
  try {
    return to_loaded<V>(invoke_loader<V>(loader, key, context));
  } catch (...) {
    return loaded<V>(failure_in_flight());
  }
}

}  // namespace detail
}  // namespace seawall
