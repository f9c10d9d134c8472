// The bytes that a tier stores under one key: an entry, a lease or a tombstone. No I/O, no clock.
//
// A header of 48 bytes, which is all that scripts on the server look at; then when it was stored; then the tags; then
// the payload; then a check.
// All numbers are big-endian.
//
//   at | bytes | what
//   ---|-------|-----------------------------------------------------------------------------------------------
//    0 |     1 | 0xC5: begins neither text nor UTF-8 that other programs might have stored
//    1 |     1 | 1: the number of this format; whoever does not know it sees bytes that are not its own
//    2 |     1 | kind: 'V' a value, 'N' an absence, 'L' a lease, 'T' a tombstone
//    3 |     1 | flags: 1 the payload is a zstd frame that tells its size, 2 there is a check, 4 it says when it was
//      |       | stored; the others are 0
//    4 |    12 | nonce: of the lease, or of this write (8 bytes `high`, 4 bytes `low`)
//   16 |     8 | reign: the generation of the primary under which it was written
//   24 |     8 | version of the source, 0: none; of leases and tombstones the floor below which none may be filled
//   32 |     4 | how long the load took, in microseconds; the largest number: that or longer
//   36 |     4 | schema: the hash of the type that reads the payload
//   40 |     2 | number of tags
//   42 |     6 | fresh until, in milliseconds of the server's clock since 1970, signed; 2^47 - 1: for ever
//   48 |     6 | when it was stored, by the same clock as `fresh until`, if the flags say so
//    … |    16 | for each tag: 8 bytes hash of its name, 8 bytes generation
//  end |     4 | the check: the last 4 bytes of the canonical 128-bit XXH3 (XXH128) of all before
//
// Codecs believe much: the first half of a text is a text. So what was cut short, or mixed up by programs that write
// parts of a string (SETRANGE, APPEND), is told by the check. An entry without one, as other programs may write it, is
// an entry; so is one that does not say when it was stored, as programs wrote them before.
//
// Of a lease, all that it does not need is 0, so that equal leases are equal bytes (SET key value IFEQ lease). When the
// server forgets the key is not among the bytes: that is its PX.
#pragma once

#include "seawall/base/random.hpp"
#include "seawall/base/result.hpp"
#include "seawall/cache/shared_tier.hpp"
#include "seawall/tier/tuning.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace seawall::tier {

inline constexpr std::size_t header_size = 48;
/// Bytes of the moment at which an entry was stored.
inline constexpr std::size_t moment_size = 6;
/// Bytes of one tag.
inline constexpr std::size_t tag_size = 16;
/// Tags that one entry can have.
inline constexpr std::size_t max_tags = 65535;

// Where scripts find the fields: offsets from 0, sizes in bytes.
inline constexpr std::size_t kind_at = 2;
inline constexpr std::size_t flags_at = 3;
inline constexpr std::size_t nonce_at = 4;
inline constexpr std::size_t nonce_size = 12;
inline constexpr std::size_t reign_at = 16;
inline constexpr std::size_t version_at = 24;

enum class stored_kind : std::uint8_t { value = 'V', absence = 'N', lease = 'L', tombstone = 'T' };

/// `fresh_until_ms` of what has no end.
inline constexpr std::int64_t fresh_for_ever = std::numeric_limits<std::int64_t>::max();

/// The first 48 bytes. What does not fit its field is stored as the nearest that does.
struct stored_header {
  stored_kind kind = stored_kind::value;
  bool compressed = false;
  bool checked = false;             ///< A check follows at the end.
  bool dated = false;               ///< When it was stored follows the header.
  tier_nonce nonce{};
  std::uint64_t reign = 0;
  std::uint64_t version = 0;        ///< Or the floor, of leases and tombstones.
  std::int64_t fresh_until_ms = 0;  ///< Of the server's clock; `fresh_for_ever`: no end.
  std::uint32_t load_us = 0;
  std::uint16_t tags = 0;
  std::uint32_t schema = 0;

  friend bool operator==(const stored_header&, const stored_header&) = default;
};

/// A nonce from two numbers of `random`: as unlikely to be drawn twice, here or in another process, as the seeds are to
/// be close. Thread safety: as `random`, any thread.
tier_nonce draw_nonce(random_source& random);

/// Exactly `header_size` bytes.
std::string encode_header(const stored_header& header);

/// The bytes of a lease: exactly `header_size`, the same for the same arguments.
std::string encode_lease(const tier_nonce& nonce, std::uint64_t reign, std::uint64_t floor);

/// The bytes of a value or an absence. `fresh_for` and `age` count from `server_now_ms` (milliseconds since 1970 by the
/// server's clock) and are cut to whole milliseconds; `keep_for` is not stored, nor is the payload of an absence.
/// Empty, which nobody takes for an entry, if there are more than `max_tags` tags.
std::string encode_entry(const tier_entry& entry, const tier_nonce& nonce, std::uint64_t reign,
                         std::int64_t server_now_ms, const compression& how);

/// The header of what is stored, or nothing if it was not written by this format or is too short. Does not look at what
/// follows the header, which may be missing (GETRANGE key 0 47).
std::optional<stored_header> decode_header(std::string_view bytes);

/// The entry of a value or an absence; `fresh_for` and `age` count from `server_now_ms`, `keep_for` is `forever`. An
/// error of `errc::undecodable`, which says what is wrong, for everything else: leases, tombstones, what is cut or
/// damaged, and payloads (decompressed) of more than `max_payload` bytes, for which no memory is taken.
result<tier_entry> decode_entry(std::string_view bytes, std::int64_t server_now_ms, std::size_t max_payload);
/// The same where `header` is that of `bytes`, into `entry`, which is new.
result<void> decode_entry(const stored_header& header, std::string_view bytes, std::int64_t server_now_ms,
                          std::size_t max_payload, tier_entry& entry);

}  // namespace seawall::tier
