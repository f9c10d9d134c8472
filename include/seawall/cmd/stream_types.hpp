// What commands on streams answer. Part of streams.hpp.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/cmd/decode.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::cmd {

/// An entry of a stream: its id, and its fields in their order. An entry that was deleted meanwhile has no fields.
template <class T = std::string>
struct stream_entry {
  std::string id;
  std::vector<std::pair<std::string, T>> fields;

  /// The first value of a field; nullptr without one.
  const T* find(std::string_view field) const noexcept {
    for (const auto& [name, value] : fields) {
      if (name == field) return &value;
    }
    return nullptr;
  }
  friend bool operator==(const stream_entry&, const stream_entry&) = default;
};

/// The entries of several streams, by key.
template <class T = std::string>
using stream_batch = std::vector<std::pair<std::string, std::vector<stream_entry<T>>>>;

/// What XAUTOCLAIM has claimed.
template <class T = std::string>
struct claimed {
  std::string next;                          ///< Where to go on; "0-0": it is through.
  std::vector<stream_entry<T>> entries;
  std::vector<std::string> deleted;          ///< Pending entries that the stream has no more. Redis 7.0.

  friend bool operator==(const claimed&, const claimed&) = default;
};

struct pending_summary {
  std::int64_t count = 0;
  std::optional<std::string> first;          ///< The lowest and highest pending id.
  std::optional<std::string> last;
  std::vector<std::pair<std::string, std::int64_t>> consumers;  ///< How many each has.

  friend bool operator==(const pending_summary&, const pending_summary&) = default;
};

struct pending_entry {
  std::string id;
  std::string consumer;
  std::chrono::milliseconds idle{};          ///< Since it was delivered last.
  std::int64_t deliveries = 0;

  friend bool operator==(const pending_entry&, const pending_entry&) = default;
};

struct stream_info {
  std::int64_t length = 0;
  std::int64_t groups = 0;
  std::string last_generated_id;
  std::optional<std::int64_t> entries_added;              ///< In all its life. Redis 7.0.
  std::optional<stream_entry<std::string>> first_entry;
  std::optional<stream_entry<std::string>> last_entry;

  friend bool operator==(const stream_info&, const stream_info&) = default;
};

struct group_info {
  std::string name;
  std::int64_t consumers = 0;
  std::int64_t pending = 0;
  std::string last_delivered_id;
  std::optional<std::int64_t> entries_read;  ///< Redis 7.0; nothing where the server cannot tell.
  std::optional<std::int64_t> lag;           ///< Entries that nobody was given yet; as above.

  friend bool operator==(const group_info&, const group_info&) = default;
};

struct consumer_info {
  std::string name;
  std::int64_t pending = 0;
  std::chrono::milliseconds idle{};          ///< Since it asked last.

  friend bool operator==(const consumer_info&, const consumer_info&) = default;
};

template <class T>
struct reply_reader<stream_entry<T>> {
  static result<stream_entry<T>> read(resp::view reply) {
    if (reply.is_null()) return stream_entry<T>{};  // XAUTOCLAIM of Redis 6.2, of an entry that was deleted
    auto parts = decode<std::pair<std::string, std::vector<std::pair<std::string, T>>>>(reply);
    if (!parts) return std::unexpected(std::move(parts.error()));
    return stream_entry<T>{std::move(parts->first), std::move(parts->second)};
  }
};

template <class T>
struct reply_reader<claimed<T>> {
  static result<claimed<T>> read(resp::view reply) {
    if (!reply.is_aggregate()) return detail::unexpected_reply("an array", reply);
    auto next = decode<std::string>(reply[0]);
    if (!next) return std::unexpected(std::move(next.error()));
    auto entries = decode<std::vector<stream_entry<T>>>(reply[1]);
    if (!entries) return std::unexpected(std::move(entries.error()));
    auto deleted = decode<std::vector<std::string>>(reply[2]);
    if (!deleted) return std::unexpected(std::move(deleted.error()));
    return claimed<T>{*std::move(next), *std::move(entries), *std::move(deleted)};
  }
};

template <>
struct reply_reader<pending_summary> {
  static result<pending_summary> read(resp::view reply);
};
template <>
struct reply_reader<pending_entry> {
  static result<pending_entry> read(resp::view reply);
};
template <>
struct reply_reader<stream_info> {
  static result<stream_info> read(resp::view reply);
};
template <>
struct reply_reader<group_info> {
  static result<group_info> read(resp::view reply);
};
template <>
struct reply_reader<consumer_info> {
  static result<consumer_info> read(resp::view reply);
};

namespace detail {

/// The entries of the only stream of a batch.
template <class T>
result<std::vector<stream_entry<T>>> read_one_stream(resp::view reply) {
  auto all = decode<stream_batch<T>>(reply);
  if (!all) return std::unexpected(std::move(all.error()));
  if (all->empty()) return std::vector<stream_entry<T>>{};
  return std::move(all->front().second);
}

}  // namespace detail
}  // namespace seawall::cmd
