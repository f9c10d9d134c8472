// byte_size(value): an estimate of the memory that a value takes, its heap blocks included: sizeof(value) plus what it
// owns. It is the weigher's default unit for caches with a byte limit. In bytes; exact for the types below with glibc's
// malloc, up to the approximations named here:
//   trivially copyable types    sizeof. So raw pointers, string_view and span count nothing of what they point to.
//   string, vector              the allocated capacity; nothing for a string short enough to live inside its object
//   unique_ptr, shared_ptr      the pointee, as its static type; a shared pointee counts in full in every owner.
//                               Behind void, T[] and incomplete types nothing is counted.
//   list, set, map, unordered_* a node per element (libstdc++'s: 1 to 4 pointers besides the element), and the buckets
//   deque                       blocks of 512 bytes and the block table
//   pair, tuple, array, optional, variant, expected: their elements
//   structs with BOOST_DESCRIBE_STRUCT / _CLASS: their members, inherited and private ones included
//   everything else             sizeof
// A type of yours answers for itself with a function in its own namespace, found by argument-dependent lookup:
//   std::size_t seawall_byte_size(const Image& image) { return sizeof image + image.pixel_bytes(); }
// Requires: no ownership cycles (a shared_ptr that owns itself through its pointee would recurse for ever).
// Thread safety: reads the value only.
#pragma once

#include <algorithm>
#include <array>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <cstddef>
#include <deque>
#include <expected>
#include <forward_list>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace seawall {

namespace detail {

/// What glibc's malloc takes for a request: a header of 8 bytes, rounded up to 16, 32 at least.
constexpr std::size_t heap_block(std::size_t request) noexcept {
  if (request == 0) return 0;
  return request <= 24 ? 32 : (request + 8 + 15) / 16 * 16;
}

template <class T>
concept has_byte_size_hook = requires(const T& value) {
  { seawall_byte_size(value) } -> std::convertible_to<std::size_t>;
};

template <class T, template <class...> class Template>
inline constexpr bool is_a = false;
template <class... Args, template <class...> class Template>
inline constexpr bool is_a<Template<Args...>, Template> = true;

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t N>
inline constexpr bool is_std_array<std::array<T, N>> = true;

template <class T>
concept basic_string_like = is_a<T, std::basic_string>;

/// Bytes that a container's node takes besides the element; 0 = the container has no nodes.
template <class T>
inline constexpr std::size_t node_overhead = [] {
  constexpr std::size_t pointer = sizeof(void*);
  if constexpr (is_a<T, std::forward_list>) return pointer;
  else if constexpr (is_a<T, std::list>) return 2 * pointer;
  else if constexpr (is_a<T, std::set> || is_a<T, std::multiset>) return 4 * pointer;
  else if constexpr (is_a<T, std::map> || is_a<T, std::multimap>) return 4 * pointer;
  else if constexpr (is_a<T, std::unordered_set> || is_a<T, std::unordered_multiset>) return 2 * pointer;
  else if constexpr (is_a<T, std::unordered_map> || is_a<T, std::unordered_multimap>) return 2 * pointer;
  else return std::size_t{0};
}();

template <class T>
concept described_class = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

/// No value of T owns memory outside itself, so the elements of a container of T need no visit.
template <class T>
inline constexpr bool owns_nothing = std::is_trivially_copyable_v<T> && !has_byte_size_hook<T>;
template <class T>
inline constexpr bool owns_nothing<const T> = owns_nothing<T>;
template <class A, class B>
inline constexpr bool owns_nothing<std::pair<A, B>> = owns_nothing<A> && owns_nothing<B>;
template <class... T>
inline constexpr bool owns_nothing<std::tuple<T...>> = (owns_nothing<T> && ...);
template <class... T>
inline constexpr bool owns_nothing<std::variant<T...>> = (owns_nothing<T> && ...);
template <class T>
inline constexpr bool owns_nothing<std::optional<T>> = owns_nothing<T>;
template <class T, std::size_t N>
inline constexpr bool owns_nothing<std::array<T, N>> = owns_nothing<T>;

template <class T>
std::size_t heap_bytes(const T& value);

template <class Range>
std::size_t heap_bytes_of_elements(const Range& range) {
  std::size_t total = 0;
  if constexpr (!owns_nothing<typename Range::value_type>) {
    for (const auto& element : range) total += heap_bytes(element);
  }
  return total;
}

template <class T>
std::size_t heap_bytes_of_pointer(const T& pointer) {
  using element = typename T::element_type;
  constexpr std::size_t control_block = is_a<T, std::shared_ptr> ? 16 : 0;  // the vtable and two counters
  if (!pointer) return 0;
  if constexpr (requires { sizeof(element), *pointer; }) {
    return heap_block(sizeof(element) + control_block) + heap_bytes(*pointer);
  } else {
    return heap_block(control_block);
  }
}

template <class T>
std::size_t heap_bytes_of_nodes(const T& container) {
  std::size_t count = 0;
  if constexpr (requires { container.size(); }) count = container.size();
  else count = static_cast<std::size_t>(std::distance(container.begin(), container.end()));
  std::size_t total = count * heap_block(node_overhead<T> + sizeof(typename T::value_type));
  if constexpr (requires { container.bucket_count(); }) {
    if (container.bucket_count() > 1) total += heap_block(container.bucket_count() * sizeof(void*));
  }
  return total + heap_bytes_of_elements(container);
}

template <class T>
std::size_t heap_bytes_of_sequence(const T& container) {
  using value = typename T::value_type;
  if constexpr (is_a<T, std::vector> && std::same_as<value, bool>) {
    return heap_block((container.capacity() + 7) / 8);
  } else if constexpr (is_a<T, std::vector>) {
    return heap_block(container.capacity() * sizeof(value)) + heap_bytes_of_elements(container);
  } else {
    constexpr std::size_t per_block = sizeof(value) < 512 ? 512 / sizeof(value) : 1;
    const std::size_t blocks = container.size() / per_block + 1;
    const std::size_t table = std::max<std::size_t>(8, blocks + 2) * sizeof(void*);
    return heap_block(table) + blocks * heap_block(per_block * sizeof(value)) + heap_bytes_of_elements(container);
  }
}

template <class T>
std::size_t heap_bytes_of_members(const T& value) {
  using namespace boost::describe;
  std::size_t total = 0;
  boost::mp11::mp_for_each<describe_members<T, mod_any_access | mod_inherited>>(
      [&](auto member) { total += heap_bytes(value.*member.pointer); });
  return total;
}

/// The bytes that a value owns outside its own sizeof.
template <class T>
std::size_t heap_bytes(const T& value) {
  if constexpr (has_byte_size_hook<T>) {
    const std::size_t total = seawall_byte_size(value);
    return total > sizeof(T) ? total - sizeof(T) : 0;
  } else if constexpr (owns_nothing<T>) {
    return 0;
  } else if constexpr (basic_string_like<T>) {
    const auto* inside = reinterpret_cast<const std::byte*>(&value);
    const auto* data = reinterpret_cast<const std::byte*>(value.data());
    const bool is_short = !std::less<>{}(data, inside) && std::less<>{}(data, inside + sizeof(T));
    return is_short ? 0 : heap_block((value.capacity() + 1) * sizeof(value[0]));
  } else if constexpr (is_a<T, std::vector> || is_a<T, std::deque>) {
    return heap_bytes_of_sequence(value);
  } else if constexpr (node_overhead<T> != 0) {
    return heap_bytes_of_nodes(value);
  } else if constexpr (is_std_array<T>) {
    return heap_bytes_of_elements(value);
  } else if constexpr (std::is_array_v<T>) {
    std::size_t total = 0;
    for (const auto& element : value) total += heap_bytes(element);
    return total;
  } else if constexpr (is_a<T, std::unique_ptr> || is_a<T, std::shared_ptr>) {
    return heap_bytes_of_pointer(value);
  } else if constexpr (is_a<T, std::optional>) {
    return value ? heap_bytes(*value) : 0;
  } else if constexpr (is_a<T, std::pair> || is_a<T, std::tuple>) {
    return std::apply([](const auto&... element) { return (std::size_t{0} + ... + heap_bytes(element)); }, value);
  } else if constexpr (is_a<T, std::variant>) {
    if (value.valueless_by_exception()) return 0;
    return std::visit([](const auto& held) { return heap_bytes(held); }, value);
  } else if constexpr (is_a<T, std::expected>) {
    if (!value) return heap_bytes(value.error());
    if constexpr (std::is_void_v<typename T::value_type>) return 0;
    else return heap_bytes(*value);
  } else if constexpr (described_class<T>) {
    return heap_bytes_of_members(value);
  } else {
    return 0;
  }
}

}  // namespace detail

/// The estimated memory of a value in bytes, its heap blocks included.
template <class T>
std::size_t byte_size(const T& value) {
  if constexpr (detail::has_byte_size_hook<T>) return seawall_byte_size(value);
  else return sizeof(T) + detail::heap_bytes(value);
}

}  // namespace seawall
