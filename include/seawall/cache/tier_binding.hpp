// tier_binding<K, V>: a shared tier as one cache sees it: its keys and values as bytes.
#pragma once

#include "seawall/base/codec.hpp"
#include "seawall/base/schema_hash.hpp"
#include "seawall/cache/loaded.hpp"
#include "seawall/cache/shared_tier.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace seawall {

/// Made from a `shared_ptr<shared_tier>`, where K and V have codecs (base/codec.hpp); without a tier the cache is one
/// process's own, and needs none.
template <class K, class V>
class tier_binding {
 public:
  tier_binding() noexcept {}

  template <class Tier>
    requires std::is_convertible_v<Tier, std::shared_ptr<shared_tier>>
  tier_binding(Tier&& tier)
      : tier_(std::forward<Tier>(tier)),
        print_key_([](const K& key, std::string& out) { append(key, out); }),
        parse_key_([](std::string_view bytes) { return codec<K>::decode(bytes); }),
        encode_([](const V& value, std::string& out) { append(value, out); }),
        decode_([](std::string_view bytes) { return codec<V>::decode(bytes); }) {
    static_assert(encodable<K> && decodable<K>,
                  "seawall: the keys of a cache with a shared tier need a codec: see seawall/base/codec.hpp");
    static_assert(encodable<V> && decodable<V>,
                  "seawall: the values of a cache with a shared tier need a codec: see seawall/base/codec.hpp");
    schema_ = schema_hash<V>();
  }

  explicit operator bool() const noexcept { return tier_ != nullptr; }
  shared_tier& tier() const noexcept { return *tier_; }

  /// Appends the key. Throws what the codec throws.
  void print_key(const K& key, std::string& out) const { print_key_(key, out); }
  /// The key again; never throws.
  result<K> parse_key(std::string_view bytes) const noexcept { return guarded<K>(parse_key_, bytes); }

  /// Throws what the codec throws.
  void encode(const V& value, std::string& out) const { encode_(value, out); }
  result<V> decode(std::string_view bytes) const noexcept { return guarded<V>(decode_, bytes); }

  std::uint32_t schema() const noexcept { return schema_; }

 private:
  template <class T>
  static void append(const T& what, std::string& out) {
    if constexpr (bytes_codec<T>) out += codec<T>::as_bytes(what);
    else codec<T>::encode(what, out);
  }

  template <class T>
  static result<T> guarded(result<T> (*decode)(std::string_view), std::string_view bytes) noexcept {
    try {
      return decode(bytes);
    } catch (...) {
      return std::unexpected(detail::current_failure());
    }
  }

  std::shared_ptr<shared_tier> tier_{};
  void (*print_key_)(const K&, std::string&) = nullptr;
  result<K> (*parse_key_)(std::string_view) = nullptr;
  void (*encode_)(const V&, std::string&) = nullptr;
  result<V> (*decode_)(std::string_view) = nullptr;
  std::uint32_t schema_ = 0;
};

}  // namespace seawall
