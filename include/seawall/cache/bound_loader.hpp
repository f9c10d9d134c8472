// A loader that owns what it uses, so that it may run after the call that needed it has returned: in the background,
// on the cache's executor. Shared, immutable, and called from several threads at once (for different keys).
#pragma once

#include "seawall/cache/loaded.hpp"

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace seawall {

template <class K, class V>
class bound_loader {
 public:
  /// None. Not defaulted: GCC 12 fails with an internal error on a cache as a class member with options in braces.
  bound_loader() noexcept {}

  /// `loader` is kept; whatever it captures by reference must outlive the cache.
  template <class Loader>
    requires(!std::same_as<std::remove_cvref_t<Loader>, bound_loader> &&
             detail::loader_of<const std::decay_t<Loader>, K, V>)
  bound_loader(Loader&& loader)
      : call_(std::make_shared<const function>(
            [held = std::decay_t<Loader>(std::forward<Loader>(loader))](const K& key, load_context<V>& context) {
              return detail::call_loader<V>(held, key, context);
            })) {}

  explicit operator bool() const noexcept { return call_ != nullptr; }

  loaded<V> operator()(const K& key, load_context<V>& context) const { return (*call_)(key, context); }

 private:
  using function = std::move_only_function<loaded<V>(const K&, load_context<V>&) const>;
  std::shared_ptr<const function> call_;
};

/// Marks a loader given with a call as owning its captures: the cache may then run it on its executor, so that the
/// caller leaves at its deadline even when the loader hangs, and a stale value is refreshed in the background.
///   users.get_or_load(id, seawall::detached([db](UserId id) { return db->find_user(id); }), {.deadline = 50ms});
template <class Loader>
struct detached {
  Loader loader;
  explicit detached(Loader value) : loader(std::move(value)) {}
};

namespace detail {
template <class T>
inline constexpr bool is_detached = false;
template <class L>
inline constexpr bool is_detached<detached<L>> = true;
}  // namespace detail

}  // namespace seawall
