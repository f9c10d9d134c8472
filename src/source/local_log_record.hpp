// One record of the local log, as bytes. All numbers are little-endian:
//   0   4  'S' 'W' 'R' and the kind
//   4   4  bytes of the key
//   8   4  bytes of the value
//   12  4  how far the last sequence that was durable when this was written lies behind this one; all ones: unknown
//   16  8  sequence
//   24  8  checksum of everything else, by XXH3
//   32     key, value
// The checksum of the payload is taken first, so that under a lock only the header remains to be hashed.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace seawall::source {

enum class record_kind : std::uint8_t {
  put = 1,
  remove = 2,
  gap = 3,       ///< sequences up to this one do not exist; the key holds the first of them in decimal
  buried = 4,    ///< a dead letter
  unburied = 5,  ///< the dead letter of that sequence is gone
};

struct log_record {
  record_kind kind = record_kind::put;
  std::uint64_t sequence = 0;
  std::uint64_t durable = 0;  ///< everything up to it was durable when this was written; 0: unknown
  std::string_view key = {};
  std::string_view value = {};
};

inline constexpr std::size_t record_header = 32;
inline constexpr std::size_t max_record_part = std::size_t{1} << 30;  ///< of a key, and of a value

/// Appends a record whose header is still to be finished. Requires: both parts within max_record_part.
void append_unfinished(std::string& out, record_kind kind, std::string_view key, std::string_view value);

/// Writes sequence, durable mark and checksum into the record that lies at `at`.
void finish_record(std::string& out, std::size_t at, std::uint64_t sequence, std::uint64_t durable) noexcept;

/// Both at once.
void append_record(std::string& out, const log_record& record);

/// The record at `at`, viewing `bytes`; nothing if there is no whole and right one.
std::optional<log_record> read_record(std::string_view bytes, std::size_t at) noexcept;

inline std::size_t record_size(const log_record& record) noexcept {
  return record_header + record.key.size() + record.value.size();
}

/// The first whole and right record at or after `at`; its place, or npos.
std::size_t find_record(std::string_view bytes, std::size_t at) noexcept;

/// Numbers as bytes, for headers of files.
void put_number(char* at, std::uint64_t value, std::size_t bytes) noexcept;
std::uint64_t get_number(const char* at, std::size_t bytes) noexcept;

}  // namespace seawall::source
