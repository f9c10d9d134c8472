// tag_cache: the generations of tags as the connections that tell of them last said. A tag is a key of its own, read
// with tracking like an entry, so a change of it is told before the answer to anything that its server did later: what
// is remembered here is right for every answer that comes over the same connection. Of an answer over another one it is
// right up to the last sign of life of its own. No I/O, no clock.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/hash.hpp"
#include "seawall/base/random.hpp"

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <optional>
#include <unordered_map>
#include <utility>

namespace seawall::tier {

inline constexpr std::string_view tag_key_start = "seawall:tag:";

/// The key that holds the generation of a tag of the cache with this prefix: 8 bytes.
inline std::string tag_key_of(std::string_view prefix, std::uint64_t tag) {
  std::string key;
  key.reserve(tag_key_start.size() + prefix.size() + 16 + 8);
  key.append(tag_key_start).append(prefix);
  for (int shift = 60; shift >= 0; shift -= 4) key += "0123456789abcdef"[tag >> shift & 15];
  return key;
}

/// The same backwards: prefix and tag; nothing for other keys. A hash tag may stand behind (see record_keys).
inline std::optional<std::pair<std::string_view, std::uint64_t>> tag_of_key(std::string_view key) {
  constexpr std::size_t digits = 16;
  if (key.ends_with('}')) key = key.substr(0, key.rfind('{'));
  if (!key.starts_with(tag_key_start) || key.size() < tag_key_start.size() + digits) return std::nullopt;
  const std::string_view number = key.substr(key.size() - digits);
  std::uint64_t tag = 0;
  const auto [end, problem] = std::from_chars(number.data(), number.data() + digits, tag, 16);
  if (problem != std::errc{} || end != number.data() + digits) return std::nullopt;
  return std::pair{key.substr(tag_key_start.size(), key.size() - tag_key_start.size() - digits), tag};
}

/// Which record of a tag: reads ask for it without its key, which is longer than what tells it apart.
struct tag_record {
  std::string_view prefix{};
  std::uint64_t tag = 0;
  std::uint16_t part = 0;  ///< See record_keys.

  friend bool operator==(const tag_record&, const tag_record&) = default;
};

/// Thread safety: none, its owner guards it.
class tag_cache {
 public:
  /// Remembered at most; then all are forgotten, and read again.
  static constexpr std::size_t most = 100'000;
  static constexpr duration read_again = std::chrono::seconds{5};

  struct known {
    std::uint64_t generation = 0;
    std::uint64_t connection = 0;   ///< That told it, and tells of its next change.
    std::uint16_t slot = 0;         ///< Of its record.
    time_point learned{};

    /// Whether it is time to read the tag again, though it is known: a server that evicts what is least used must see
    /// that its record is.
    bool due(time_point now) const { return after(learned, read_again) <= now; }
  };

  /// What a reply said.
  void learn(const tag_record& which, const known& what) {
    if (known_.size() >= most) known_.clear();
    known_.insert_or_assign(kept{std::string{which.prefix}, which.tag, which.part}, what);
  }

  const known* find(const tag_record& which) const {
    const auto found = known_.find(which);
    return found == known_.end() ? nullptr : &found->second;
  }

  /// It changed.
  void forget(const tag_record& which) {
    if (const auto found = known_.find(which); found != known_.end()) known_.erase(found);
  }
  /// All that the connection told.
  void forget_told_by(std::uint64_t connection) {
    std::erase_if(known_, [&](const auto& one) { return one.second.connection == connection; });
  }

 private:
  struct kept {
    std::string prefix;
    std::uint64_t tag;
    std::uint16_t part;
  };
  static tag_record view(const tag_record& which) noexcept { return which; }
  static tag_record view(const kept& which) noexcept { return {which.prefix, which.tag, which.part}; }
  struct hash {
    using is_transparent = void;
    std::size_t operator()(const auto& which) const noexcept {
      const tag_record record = view(which);
      return hash_bytes(record.prefix.data(), record.prefix.size()) ^ mix64(record.tag + record.part);
    }
  };
  struct equal {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const noexcept { return view(a) == view(b); }
  };

  std::unordered_map<kept, known, hash, equal> known_;
};

}  // namespace seawall::tier
