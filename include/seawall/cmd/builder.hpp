// builder: makes commands, those of this library and your own.
//
//     template <class T>
//     cmd::command<std::optional<T>> get(std::string_view key) { return cmd::builder{"GET"}.key(key); }
//
// The name is looked up in the table of commands when this is compiled.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/codec.hpp"
#include "seawall/base/hash.hpp"
#include "seawall/cmd/command.hpp"
#include "seawall/cmd/decode.hpp"
#include "seawall/cmd/table.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace seawall::cmd {

namespace detail {

using seawall::detail::views_as_string;

/// What one argument is made of: text, or a type with a codec.
template <class V>
concept argument = views_as_string<V> || encodable<V>;

/// Many arguments.
template <class R>
concept argument_range = !argument<R> && std::ranges::input_range<const R> &&
                         argument<std::ranges::range_value_t<const R>>;

template <class R>
concept key_range = !views_as_string<R> && std::ranges::input_range<const R> &&
                    views_as_string<std::ranges::range_value_t<const R>>;

template <class P>
concept argument_pair = requires { std::tuple_size<P>::value; } && std::tuple_size<P>::value == 2 &&
                        argument<std::remove_const_t<std::tuple_element_t<0, P>>> &&
                        argument<std::remove_const_t<std::tuple_element_t<1, P>>>;

template <class R>
concept pair_range = std::ranges::input_range<const R> && argument_pair<std::ranges::range_value_t<const R>>;

/// How many keys or fields an argument names.
template <class K>
std::int64_t count_of(const K& keys) {
  if constexpr (views_as_string<K>) return 1;
  else return static_cast<std::int64_t>(std::ranges::distance(keys));
}

}  // namespace detail

/// Several keys or fields where a function takes one argument for them: blpop(names("a", "b"), 5s).
template <detail::views_as_string... K>
constexpr std::array<std::string_view, sizeof...(K)> names(const K&... keys) {
  return {std::string_view{keys}...};
}

/// Something that names keys (or fields): a string, or a range of strings.
template <class K>
concept key_argument = detail::views_as_string<K> || detail::key_range<K>;

/// Something that gives values: a value, or a range of values.
template <class V>
concept value_argument = detail::argument<V> || detail::argument_range<V>;

/// One command under construction; every function appends. It ends as a command and is empty afterwards.
/// An argument out of its limits makes the command invalid; the first complaint stays.
/// Thread safety: none.
class builder {
 public:
  explicit builder(const command_name& name);
  /// A command that the table does not know.
  builder(std::string_view name, const traits& about);

  builder& key(std::string_view key);
  /// Text as it is: a field, a keyword.
  builder& text(std::string_view text);
  builder& number(std::int64_t number);
  builder& real(double number);
  /// `word` if `yes`.
  builder& flag(bool yes, std::string_view word);
  /// `word` and the number, if there is one (0 or more, else `complaint`).
  builder& option(std::string_view word, std::optional<std::int64_t> number, const char* complaint);
  /// A length of time: `seconds` and whole seconds, or `milliseconds` and milliseconds, rounded up.
  builder& time(duration length, std::string_view seconds, std::string_view milliseconds);

  /// Any value with a codec, or text.
  template <detail::argument V>
  builder& value(const V& value);
  /// Values and ranges of values, one after the other.
  template <value_argument... V>
  builder& values(const V&... values);
  /// Keys (or fields) and ranges of them, one after the other.
  template <key_argument... K>
  builder& keys(const K&... keys);
  /// How many there are, then they themselves.
  template <key_argument... K>
  builder& counted_keys(const K&... keys);
  /// Pairs: a range of them, or key, value, key, value.
  template <class... P>
  builder& pairs(const P&... pairs);
  /// How many pairs there are, then they themselves.
  template <class... P>
  builder& counted_pairs(const P&... pairs);
  /// For a script: how many keys there are, perhaps none, they themselves, and values, perhaps none.
  template <key_argument K, value_argument... V>
  builder& keys_and_values(const K& keys, const V&... values);

  /// How many arguments were appended, the name and subcommand included.
  std::size_t size() const noexcept { return made_.bytes_.arguments(); }
  /// Makes the command invalid. `complaint` is a literal: "the time to live must be positive".
  builder& check(bool good, const char* complaint) noexcept;
  /// Requires that arguments were appended since there were `before`.
  builder& check_some(std::size_t before, const char* complaint) noexcept { return check(size() > before, complaint); }

  /// Takes the traits from the arguments that are there (`traits_of_arguments`).
  builder& look_up();
  builder& effect(cmd::effect what) noexcept;
  builder& effect_if(bool yes, cmd::effect what) noexcept { return yes ? effect(what) : *this; }
  /// The keys are the `count` arguments from `first` on, `step` apart.
  builder& key_positions(std::size_t first, std::size_t count) noexcept;
  /// The server may wait so long; `forever`: without end. Zero or less makes the command invalid.
  builder& blocks(duration longest) noexcept;
  /// The same, and appends it as the server wants it: in seconds, 0 for `forever`.
  builder& wait_seconds(duration longest);
  /// The same in milliseconds.
  builder& wait_milliseconds(duration longest);
  builder& does_not_block() noexcept;
  builder& source(std::shared_ptr<const std::string> script) noexcept;

  /// The command, its reply read by `decode<T>`.
  template <class T>
  operator command<T>() {  // implicit: `return builder{"GET"}.key(key);`
    return {std::move(made_), &decode<T>};
  }
  /// The command, its reply read by `read`.
  template <class T>
  command<T> with(result<T> (*read)(resp::view)) {
    return {std::move(made_), read};
  }

 private:
  template <class V>
  void append(const V& value);
  template <class K>
  void append_keys(const K& keys);
  template <class V>
  void append_values(const V& values);
  template <class P>
  void append_pairs(const P& pairs);
  template <class K, class V, class... More>
  void append_flat_pairs(const K& key, const V& value, const More&... more);

  any_command made_;
};

template <class V>
void builder::append(const V& value) {
  if constexpr (detail::views_as_string<V>) {
    made_.bytes_.append(static_cast<std::string_view>(value));
  } else if constexpr (seawall::detail::plain_integer<V>) {
    if constexpr (sizeof(V) < sizeof(std::int64_t) || std::is_signed_v<V>) {
      made_.bytes_.append(static_cast<std::int64_t>(value));
    } else {
      char digits[seawall::detail::max_number];
      made_.bytes_.append(seawall::detail::print_number(value, digits));
    }
  } else {
    try {
      std::string scratch;
      made_.bytes_.append(encode(value, scratch));
    } catch (...) {
      check(false, "the codec of the value threw");
    }
  }
}

template <detail::argument V>
builder& builder::value(const V& value) {
  append(value);
  return *this;
}

template <class V>
void builder::append_values(const V& values) {
  if constexpr (detail::argument<V>) {
    append(values);
  } else {
    for (const auto& value : values) append(value);
  }
}

template <value_argument... V>
builder& builder::values(const V&... values) {
  const std::size_t before = size();
  (append_values(values), ...);
  return check_some(before, "no value was given");
}

template <class K>
void builder::append_keys(const K& keys) {
  if constexpr (detail::views_as_string<K>) {
    text(static_cast<std::string_view>(keys));
  } else {
    for (const auto& key : keys) text(static_cast<std::string_view>(key));
  }
}

template <key_argument... K>
builder& builder::keys(const K&... keys) {
  const std::size_t before = size();
  (append_keys(keys), ...);
  return check_some(before, "no key was given");
}

template <key_argument... K>
builder& builder::counted_keys(const K&... keys) {
  number((std::int64_t{0} + ... + detail::count_of(keys)));
  return this->keys(keys...);
}

template <key_argument K, value_argument... V>
builder& builder::keys_and_values(const K& keys, const V&... values) {
  const std::int64_t count = detail::count_of(keys);
  number(count);
  if (count == 0) key_positions(0, 0);
  append_keys(keys);
  (append_values(values), ...);
  return *this;
}

template <class P>
void builder::append_pairs(const P& pairs) {
  for (const auto& pair : pairs) {
    append(std::get<0>(pair));
    append(std::get<1>(pair));
  }
}

template <class... P>
builder& builder::counted_pairs(const P&... pairs) {
  if constexpr (sizeof...(P) == 1) number((std::int64_t{0} + ... + detail::count_of(pairs)));
  else number(sizeof...(P) / 2);
  return this->pairs(pairs...);
}

template <class K, class V, class... More>
void builder::append_flat_pairs(const K& key, const V& value, const More&... more) {
  append(key);
  append(value);
  if constexpr (sizeof...(More) > 0) append_flat_pairs(more...);
}

template <class... P>
builder& builder::pairs(const P&... pairs) {
  const std::size_t before = size();
  if constexpr (sizeof...(P) == 1) {
    static_assert((detail::pair_range<P> && ...), "seawall::cmd: a range of pairs, or key, value, key, value");
    (append_pairs(pairs), ...);
  } else {
    static_assert(sizeof...(P) % 2 == 0, "seawall::cmd: every key needs a value: key, value, key, value");
    append_flat_pairs(pairs...);
  }
  return check_some(before, "no pair was given");
}

}  // namespace seawall::cmd
