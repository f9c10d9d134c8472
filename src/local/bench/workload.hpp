// The workload of ./dev bench local: a drawn list of requests under Zipf's law, the keys and values behind its ranks.
#pragma once

#include "random_keys.hpp"
#include "seawall/base/random.hpp"

#include <fmt/format.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::bench {

inline constexpr std::size_t all_entries = 1'000'000;
inline constexpr std::size_t all_requests = std::size_t{1} << 22;
inline constexpr std::size_t thread_offset = 777'777;  // where in the list each next thread begins
inline constexpr std::size_t round_offset = 649'991;   // and each next measurement

constexpr std::uint64_t key_of(std::uint64_t rank) noexcept { return mix64(rank + 1); }

/// The request list: ranks 0..all_entries-1, exponent 0.99.
inline std::vector<std::uint32_t> draw_ranks() {
  xoshiro random{1};
  const zipf rank{0.99, all_entries};
  std::vector<std::uint32_t> ranks(all_requests);
  for (auto& one : ranks) one = static_cast<std::uint32_t>(rank(random) - 1);
  return ranks;
}

inline constexpr std::size_t text_size = 24;

/// "key:" and 20 digits. The other languages' peers make the same.
inline std::string text_of(std::uint64_t rank) { return fmt::format("key:{:020}", key_of(rank)); }

/// What a text was made of.
inline std::uint64_t number_in(const std::string& text) { return std::strtoull(text.c_str() + 4, nullptr, 10); }

/// 100 bytes, copied out by a hit.
struct payload {
  std::array<char, 100> bytes{};

  payload() = default;
  explicit payload(std::uint64_t id) { std::memcpy(bytes.data(), &id, sizeof(id)); }
  std::uint64_t id() const noexcept {
    std::uint64_t stored = 0;
    std::memcpy(&stored, bytes.data(), sizeof(stored));
    return stored;
  }
};

/// What a request asks with, and what a value says of its key: for entries of 8 + 8 bytes ...
struct small_entries {
  using key = std::uint64_t;
  using value = std::uint64_t;
  using asked = std::uint64_t;

  static key make_key(std::uint64_t rank) { return key_of(rank); }
  static value make_value(std::uint64_t rank) { return key_of(rank); }
  static std::uint64_t id_of(const value& stored) noexcept { return stored; }

  /// The list of what is asked for, one after the other as a service reads them from its requests.
  struct requests {
    explicit requests(const std::vector<std::uint32_t>& ranks) {
      keys.reserve(ranks.size());
      for (const std::uint32_t rank : ranks) keys.push_back(key_of(rank));
    }
    asked operator[](std::size_t at) const noexcept { return keys[at]; }
    std::uint64_t id(std::size_t at) const noexcept { return keys[at]; }
    std::vector<std::uint64_t> keys;
  };
};

/// ... and for entries of 24 + 100 bytes.
struct large_entries {
  using key = std::string;
  using value = payload;
  using asked = std::string_view;

  static key make_key(std::uint64_t rank) { return text_of(rank); }
  static value make_value(std::uint64_t rank) { return payload{key_of(rank)}; }
  static std::uint64_t id_of(const value& stored) noexcept { return stored.id(); }

  /// Ranks, and a text for each of them: reading a request costs a cache miss of its own, for every subject alike.
  struct requests {
    explicit requests(const std::vector<std::uint32_t>& drawn) : ranks(drawn) {
      for (std::size_t rank = 0; rank != all_entries; ++rank) texts += text_of(rank);
    }
    asked operator[](std::size_t at) const noexcept {
      return std::string_view{texts}.substr(text_size * ranks[at], text_size);
    }
    std::uint64_t id(std::size_t at) const noexcept { return key_of(ranks[at]); }
    const std::vector<std::uint32_t>& ranks;
    std::string texts;
  };
};

/// A key whose hash is a constant: all of them meet in one bucket.
struct hostile_key {
  std::uint64_t number = 0;
  friend auto operator<=>(const hostile_key&, const hostile_key&) = default;
  friend std::size_t hash_value(const hostile_key&) noexcept { return 42; }
};

/// The hash of the peers in C++: what people write, with a look-up by std::string_view.
struct peer_hash {
  using is_transparent = void;
  std::size_t operator()(std::uint64_t key) const noexcept { return static_cast<std::size_t>(key); }  // mixed already
  std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>{}(key); }
  std::size_t operator()(const hostile_key& key) const noexcept { return hash_value(key); }
};

}  // namespace seawall::bench
