// key(): builds the text of a cache key from parts that no user input can forge.
//   seawall::key("user").id(42).part("profile").str();                  // user:42:profile
//   seawall::key_space shop{"shop"};
//   shop.key("user").id(42).str();                                      // shop:user:42
// Two builders hold the same text exactly when they were given the same parts (up to the odds of a 128-bit hash):
//   parts      are joined with ':'. In a part, letters, digits and - . _ / + , = stay as they are, every other byte
//              becomes %XX. So a key is printable ASCII, has no glob characters (a prefix is its own SCAN pattern) and
//              no braces (a part cannot choose its Redis Cluster slot). Names and namespaces are parts like any other.
//   an integer is its decimal text: id(42) and part("42") are the same part. An empty part is a part: a: is not a.
//   hashed     adds '#' and the 32 hex digits of the parameters' digest.
//   version    adds the family's name, '@' and its generation in 16 hex digits.
//   length     512 bytes at most (key_options::max_length). A longer key keeps its first max_length - 33 bytes, then
//              '~' and the 32 hex digits of the hash of the text it replaces.
// The hash is XXH3-128: against accidents, not against an adversary who searches for collisions. Where strangers choose
// long parts and one stranger must not see another's entry, put who asks (a user, a tenant) into an early part.
// A builder is a value: every step returns a new one and leaves the one it started from as it was, so a common stem can
// be kept and extended many times. It converts to std::string and std::string_view; the view lives as long as it does.
// Thread safety: as a std::string.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "seawall/base/family.hpp"
#include "seawall/base/params.hpp"

namespace seawall {

struct key_options {
  std::size_t max_length = 512;  ///< In bytes, 64 to 65'536. memcached allows 250.
};

namespace detail {

template <class T>
concept has_key_part_hook = requires(const T& value) { seawall_key_part(value); };

template <class T>
concept integer_key_part = std::integral<T> && !std::same_as<T, bool> && !character<T> && sizeof(T) <= 8;

}  // namespace detail

/// What part() and id() take: text, integers (not bool, not characters), enums by their number, and types of yours with
/// a function `seawall_key_part(const T&)` in their namespace that returns one of these.
template <class T>
concept key_part = detail::has_key_part_hook<T> || detail::views_as_string<T> || detail::integer_key_part<T> ||
                   std::is_enum_v<T>;

class key_builder {
 public:
  /// Throws std::invalid_argument if the options are out of their limits.
  explicit key_builder(std::string_view name, key_options options = {});

  template <key_part T>
  [[nodiscard]] key_builder part(const T& value) const& { return key_builder(*this).part(value); }
  template <key_part T>
  [[nodiscard]] key_builder part(const T& value) && {
    append(value);
    return std::move(*this);
  }

  /// The same as part(); reads better for identifiers.
  template <key_part T>
  [[nodiscard]] key_builder id(const T& value) const& { return part(value); }
  template <key_part T>
  [[nodiscard]] key_builder id(const T& value) && { return std::move(*this).part(value); }

  [[nodiscard]] key_builder hashed(const params& parameters) const& { return key_builder(*this).hashed(parameters); }
  [[nodiscard]] key_builder hashed(const params& parameters) &&;

  /// The generation is read now: a key that was built before a retire() stays what it is.
  [[nodiscard]] key_builder version(const family& members) const& { return key_builder(*this).version(members); }
  [[nodiscard]] key_builder version(const family& members) &&;

  const std::string& str() const& noexcept { return text_; }
  std::string str() && noexcept { return std::move(text_); }

  operator std::string() const& { return text_; }
  operator std::string() && noexcept { return std::move(text_); }
  operator std::string_view() const noexcept { return text_; }

  /// What all keys with more parts than this one begin with, and no others: this key and ':'. So the prefix of user:1
  /// covers user:1:profile, and neither user:10 nor user:1 itself. Beyond max_length - 33 bytes it is cut there, and
  /// covers more, never less.
  std::string prefix() const;

  friend bool operator==(const key_builder& a, const key_builder& b) noexcept { return a.text_ == b.text_; }
  friend bool operator==(const key_builder& a, std::string_view b) noexcept { return a.text_ == b; }

 private:
  template <class T>
  void append(const T& value) {
    if constexpr (detail::has_key_part_hook<T>) {
      append(seawall_key_part(value));
    } else if constexpr (detail::views_as_string<T>) {
      append_text(value);
    } else if constexpr (std::is_enum_v<T>) {
      append(static_cast<std::underlying_type_t<T>>(value));
    } else {
      static_assert(detail::integer_key_part<T>, "seawall::key: a part is a text or an integer");
      char digits[24];
      append_text({digits, std::to_chars(digits, digits + sizeof digits, value).ptr});
    }
  }

  void append_text(std::string_view part);
  void shorten();

  std::string text_;
  std::size_t max_length_;
};

/// Starts a key. The name is its first part.
[[nodiscard]] inline key_builder key(std::string_view name, key_options options = {}) {
  return key_builder(name, options);
}

/// A namespace: a first part, and options, that several keys share. Immutable; use it from any thread.
class key_space {
 public:
  /// Throws std::invalid_argument if the options are out of their limits.
  explicit key_space(std::string_view name, key_options options = {}) : stem_(name, options) {}

  template <key_part T>
  [[nodiscard]] key_builder key(const T& name) const { return stem_.part(name); }

  /// A namespace inside this one.
  template <key_part T>
  [[nodiscard]] key_space space(const T& name) const { return key_space(stem_.part(name)); }

  /// What all keys of this namespace begin with, and no others.
  std::string prefix() const { return stem_.prefix(); }

 private:
  explicit key_space(key_builder stem) : stem_(std::move(stem)) {}

  key_builder stem_;
};

}  // namespace seawall
