#include "local_log_record.hpp"

#include "seawall/base/hash.hpp"
#include "seawall/base/random.hpp"

#include <bit>

namespace seawall::source {
namespace {

constexpr std::string_view mark = "SWR";
constexpr std::uint32_t unknown_distance = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t checksum_at = 24;

std::uint64_t digest(std::string_view bytes) noexcept { return hash_bytes128(bytes).low; }

std::uint64_t checksum(const char* header, std::uint64_t payload) noexcept {
  return mix64(digest({header, checksum_at}) ^ std::rotl(payload, 1));
}

}  // namespace

void put_number(char* at, std::uint64_t value, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i != bytes; ++i) at[i] = static_cast<char>(value >> (8 * i) & 0xff);
}

std::uint64_t get_number(const char* at, std::size_t bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i != bytes; ++i) value |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  return value;
}

void append_unfinished(std::string& out, record_kind kind, std::string_view key, std::string_view value) {
  const std::size_t at = out.size();
  out.reserve(at + record_header + key.size() + value.size());
  out.append(mark);
  out.push_back(static_cast<char>(kind));
  out.append(record_header - 4, '\0');
  out.append(key).append(value);
  put_number(&out[at + 4], key.size(), 4);
  put_number(&out[at + 8], value.size(), 4);
  put_number(&out[at + checksum_at], digest({&out[at + record_header], key.size() + value.size()}), 8);
}

void finish_record(std::string& out, std::size_t at, std::uint64_t sequence, std::uint64_t durable) noexcept {
  char* header = &out[at];
  const std::uint64_t payload = get_number(header + checksum_at, 8);
  const std::uint64_t distance = durable == 0 ? unknown_distance : sequence - durable;
  put_number(header + 12, distance < unknown_distance ? distance : unknown_distance, 4);
  put_number(header + 16, sequence, 8);
  put_number(header + checksum_at, checksum(header, payload), 8);
}

void append_record(std::string& out, const log_record& record) {
  const std::size_t at = out.size();
  append_unfinished(out, record.kind, record.key, record.value);
  finish_record(out, at, record.sequence, record.durable);
}

std::optional<log_record> read_record(std::string_view bytes, std::size_t at) noexcept {
  if (bytes.size() < record_header || at > bytes.size() - record_header) return {};
  const char* header = bytes.data() + at;
  if (bytes.substr(at, mark.size()) != mark) return {};
  const auto kind = static_cast<std::uint8_t>(header[3]);
  const std::uint64_t key = get_number(header + 4, 4);
  const std::uint64_t value = get_number(header + 8, 4);
  if (kind < 1 || kind > 5 || key + value > bytes.size() - record_header - at) return {};
  const std::string_view payload = bytes.substr(at + record_header, key + value);
  if (get_number(header + checksum_at, 8) != checksum(header, digest(payload))) return {};
  const std::uint64_t sequence = get_number(header + 16, 8);
  const std::uint64_t distance = get_number(header + 12, 4);
  return log_record{.kind = static_cast<record_kind>(kind),
                    .sequence = sequence,
                    .durable = distance == unknown_distance ? 0 : sequence - distance,
                    .key = payload.substr(0, key),
                    .value = payload.substr(key)};
}

std::size_t find_record(std::string_view bytes, std::size_t at) noexcept {
  for (at = bytes.find(mark, at); at != std::string_view::npos; at = bytes.find(mark, at + 1)) {
    if (read_record(bytes, at)) return at;
  }
  return std::string_view::npos;
}

}  // namespace seawall::source
