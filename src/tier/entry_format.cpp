#include "entry_format.hpp"

#include "seawall/base/hash.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

namespace seawall::tier {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr char magic = '\xC5';
constexpr char format = 1;
constexpr std::uint8_t zstd_flag = 1;
constexpr std::uint8_t check_flag = 2;
constexpr std::uint8_t dated_flag = 4;
constexpr std::size_t check_size = 4;
constexpr std::int64_t most_ms = (std::int64_t{1} << 47) - 1;
constexpr std::size_t most_load = std::numeric_limits<std::uint32_t>::max();

/// Appends numbers to bytes.
class appender {
 public:
  explicit appender(std::string& to) : to_(to) {}

  void put(std::uint64_t number, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) to_.push_back(static_cast<char>(number >> shift));
  }

 private:
  std::string& to_;
};

// Requires: the bytes are there.
template <std::size_t size>
std::uint64_t number_at(std::string_view bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i != size; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return number;
}

/// The sum, or the limit that it would pass.
std::int64_t add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

/// The nearest moment that fits its field.
std::uint64_t moment_of(std::int64_t ms) { return static_cast<std::uint64_t>(std::clamp(ms, -most_ms - 1, most_ms)); }

// To the top of the number and back: the sign comes along.
std::int64_t moment_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::int64_t>(number_at<moment_size>(bytes, at) << 16) >> 16;
}

void append_header(std::string& to, const stored_header& header) {
  appender out{to};
  to.push_back(magic);
  to.push_back(format);
  out.put(static_cast<std::uint8_t>(header.kind), 1);
  out.put((header.compressed ? zstd_flag : 0u) | (header.checked ? check_flag : 0u) | (header.dated ? dated_flag : 0u),
          1);
  out.put(header.nonce.high, 8);
  out.put(header.nonce.low, 4);
  out.put(header.reign, 8);
  out.put(header.version, 8);
  out.put(header.load_us, 4);
  out.put(header.schema, 4);
  out.put(header.tags, 2);
  out.put(moment_of(header.fresh_until_ms), moment_size);
}

std::uint32_t check_of(std::string_view bytes) { return static_cast<std::uint32_t>(hash_bytes128(bytes).low); }

/// The moment until which what is fresh for so long from now is, never later than that.
std::int64_t fresh_until(duration fresh_for, std::int64_t now_ms) {
  if (fresh_for == forever) return fresh_for_ever;
  const std::int64_t until = add(now_ms, std::chrono::floor<milliseconds>(fresh_for).count());
  return std::min(until, most_ms - 1);
}

duration fresh_for(std::int64_t until_ms, std::int64_t now_ms) {
  constexpr std::int64_t most = std::chrono::floor<milliseconds>(forever).count();
  if (until_ms == fresh_for_ever || now_ms == std::numeric_limits<std::int64_t>::min()) return forever;
  const std::int64_t left = add(until_ms, -now_ms);
  return left > most ? forever : duration{milliseconds{std::max(left, -most)}};
}

// A clock may say anything, and an age is added to other times.
duration age_at(std::int64_t written_ms, std::int64_t now_ms) {
  constexpr milliseconds century = std::chrono::days{36'525};
  return milliseconds{std::clamp<std::int64_t>(add(now_ms, -written_ms), 0, century.count())};
}

/// Appends `payload` as a zstd frame, if that is shorter. Otherwise leaves `to` as it is.
bool append_compressed(std::string& to, std::string_view payload, int level) {
  if (payload.size() < 2) return false;
  const std::size_t begin = to.size();
  // zstd gives up as soon as it has no room left.
  to.resize(begin + payload.size() - 1);
  const int known = std::clamp(level, ZSTD_minCLevel(), ZSTD_maxCLevel());
  const std::size_t size =
      ZSTD_compress(to.data() + begin, payload.size() - 1, payload.data(), payload.size(), known);
  to.resize(begin + (ZSTD_isError(size) ? 0 : size));
  return !ZSTD_isError(size);
}

result<std::string> decompress(std::string_view frame, std::size_t max_payload) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return fail(errc::undecodable, "entry: the payload is no zstd frame");
  if (size == ZSTD_CONTENTSIZE_UNKNOWN) {
    return fail(errc::undecodable, "entry: the zstd frame does not tell its size");
  }
  if (size > max_payload) {
    return fail(errc::undecodable,
                fmt::format("entry: {} bytes of decompressed payload, at most {} are allowed", size, max_payload));
  }
  std::string payload;
  std::size_t written = 0;
  payload.resize_and_overwrite(static_cast<std::size_t>(size), [&](char* to, std::size_t room) {
    written = ZSTD_decompress(to, room, frame.data(), frame.size());
    return ZSTD_isError(written) ? 0 : written;
  });
  if (ZSTD_isError(written)) {
    return fail(errc::undecodable, fmt::format("entry: zstd cannot read the payload: {}", ZSTD_getErrorName(written)));
  }
  if (written != size) {
    return fail(errc::undecodable, fmt::format("entry: the zstd frame holds {} bytes and not {}", written, size));
  }
  return payload;
}

}  // namespace

tier_nonce draw_nonce(random_source& random) {
  const std::uint64_t high = random.next();
  return {.high = high, .low = static_cast<std::uint32_t>(random.next() >> 32)};
}

std::string encode_header(const stored_header& header) {
  std::string bytes;
  bytes.reserve(header_size);
  append_header(bytes, header);
  return bytes;
}

std::string encode_lease(const tier_nonce& nonce, std::uint64_t reign, std::uint64_t floor) {
  return encode_header({.kind = stored_kind::lease, .nonce = nonce, .reign = reign, .version = floor});
}

std::string encode_entry(const tier_entry& entry, const tier_nonce& nonce, std::uint64_t reign,
                         std::int64_t server_now_ms, const compression& how) {
  std::string bytes;
  if (entry.tags.size() > max_tags) return bytes;
  const std::int64_t load = std::chrono::duration_cast<microseconds>(entry.load_time).count();
  const stored_header header{.kind = entry.absent ? stored_kind::absence : stored_kind::value,
                             .checked = true,
                             .dated = true,
                             .nonce = nonce,
                             .reign = reign,
                             .version = entry.version,
                             .fresh_until_ms = fresh_until(entry.fresh_for, server_now_ms),
                             .load_us = static_cast<std::uint32_t>(std::clamp<std::int64_t>(load, 0, most_load)),
                             .tags = static_cast<std::uint16_t>(entry.tags.size()),
                             .schema = entry.schema};
  const std::string_view payload = entry.absent ? std::string_view{} : entry.payload;
  bytes.reserve(header_size + moment_size + entry.tags.size() * tag_size + payload.size() + check_size);
  append_header(bytes, header);
  appender out{bytes};
  out.put(moment_of(add(server_now_ms, -std::chrono::floor<milliseconds>(entry.age).count())), moment_size);
  for (const tag_stamp& stamp : entry.tags) {
    out.put(stamp.tag, 8);
    out.put(stamp.generation, 8);
  }
  if (payload.size() > how.above && append_compressed(bytes, payload, how.level)) {
    bytes[flags_at] = static_cast<char>(bytes[flags_at] | zstd_flag);
  } else {
    bytes.append(payload);
  }
  out.put(check_of(bytes), check_size);
  return bytes;
}

std::optional<stored_header> decode_header(std::string_view bytes) {
  if (bytes.size() < header_size || bytes[0] != magic || bytes[1] != format) return std::nullopt;
  stored_header header;
  switch (bytes[kind_at]) {
    case 'V': header.kind = stored_kind::value; break;
    case 'N': header.kind = stored_kind::absence; break;
    case 'L': header.kind = stored_kind::lease; break;
    case 'T': header.kind = stored_kind::tombstone; break;
    default: return std::nullopt;
  }
  header.compressed = (bytes[flags_at] & zstd_flag) != 0;
  header.checked = (bytes[flags_at] & check_flag) != 0;
  header.dated = (bytes[flags_at] & dated_flag) != 0;
  header.nonce.high = number_at<8>(bytes, nonce_at);
  header.nonce.low = static_cast<std::uint32_t>(number_at<4>(bytes, nonce_at + 8));
  header.reign = number_at<8>(bytes, reign_at);
  header.version = number_at<8>(bytes, version_at);
  header.load_us = static_cast<std::uint32_t>(number_at<4>(bytes, 32));
  header.schema = static_cast<std::uint32_t>(number_at<4>(bytes, 36));
  header.tags = static_cast<std::uint16_t>(number_at<2>(bytes, 40));
  const std::int64_t fresh = moment_at(bytes, 42);
  header.fresh_until_ms = fresh == most_ms ? fresh_for_ever : fresh;
  return header;
}

result<tier_entry> decode_entry(std::string_view bytes, std::int64_t server_now_ms, std::size_t max_payload) {
  const std::optional<stored_header> header = decode_header(bytes);
  if (!header) {
    return fail(errc::undecodable, bytes.size() < header_size
                                       ? fmt::format("entry: {} bytes are too few for one", bytes.size())
                                       : std::string{"entry: the bytes do not begin as those of an entry do"});
  }
  tier_entry entry;
  if (auto read = decode_entry(*header, bytes, server_now_ms, max_payload, entry); !read) {
    return std::unexpected(std::move(read.error()));
  }
  return entry;
}

result<void> decode_entry(const stored_header& header, std::string_view bytes, std::int64_t server_now_ms,
                          std::size_t max_payload, tier_entry& entry) {
  const std::uint8_t flags = static_cast<std::uint8_t>(bytes[flags_at]);
  if (header.kind == stored_kind::lease) return fail(errc::undecodable, "entry: it is a lease");
  if (header.kind == stored_kind::tombstone) return fail(errc::undecodable, "entry: it is a tombstone");
  if ((flags & ~(zstd_flag | check_flag | dated_flag)) != 0) {
    return fail(errc::undecodable, fmt::format("entry: unknown flags {:#04x}", flags));
  }
  if (header.checked) {
    if (bytes.size() < header_size + check_size) return fail(errc::undecodable, "entry: it is cut before its check");
    const std::string_view check = bytes.substr(bytes.size() - check_size);
    bytes.remove_suffix(check_size);
    if (number_at<check_size>(check, 0) != check_of(bytes)) {
      return fail(errc::undecodable, "entry: it was cut short or damaged, its check says");
    }
  }
  std::string_view rest = bytes.substr(header_size);
  if (header.dated) {
    if (rest.size() < moment_size) return fail(errc::undecodable, "entry: it ends before it says when it was stored");
    entry.age = age_at(moment_at(rest, 0), server_now_ms);
    rest.remove_prefix(moment_size);
  }
  if (rest.size() < header.tags * tag_size) {
    return fail(errc::undecodable, fmt::format("entry: {} bytes are too few for {} tags", rest.size(), header.tags));
  }

  entry.absent = header.kind == stored_kind::absence;
  entry.version = header.version;
  entry.schema = header.schema;
  entry.fresh_for = fresh_for(header.fresh_until_ms, server_now_ms);
  entry.load_time = microseconds{header.load_us};
  entry.tags.reserve(header.tags);
  for (std::size_t i = 0; i < header.tags; ++i, rest.remove_prefix(tag_size)) {
    entry.tags.push_back({.tag = number_at<8>(rest, 0), .generation = number_at<8>(rest, 8)});
  }
  if (entry.absent) {
    if (rest.empty() && !header.compressed) return {};
    return fail(errc::undecodable, fmt::format("entry: an absence with {} bytes of payload", rest.size()));
  }
  if (!header.compressed) {
    if (rest.size() > max_payload) {
      return fail(errc::undecodable,
                  fmt::format("entry: {} bytes of payload, at most {} are allowed", rest.size(), max_payload));
    }
    entry.payload = rest;
    return {};
  }
  result<std::string> payload = decompress(rest, max_payload);
  if (!payload) return std::unexpected(std::move(payload.error()));
  entry.payload = *std::move(payload);
  return {};
}

}  // namespace seawall::tier
