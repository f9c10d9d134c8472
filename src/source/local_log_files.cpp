#include "local_log_files.hpp"

#include "seawall/base/codec.hpp"
#include "seawall/base/hash.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seawall::source {
namespace {

constexpr std::string_view segment_mark = "SWALLLOG";
constexpr std::string_view checkpoint_mark = "SWALLCHK";
constexpr std::string_view prefix = "segment-";
constexpr std::string_view suffix = ".log";
constexpr std::size_t name_at = 32;
constexpr std::size_t checkpoint_size = 32;

void seal(std::string& block) {
  const std::size_t end = block.size() - 8;
  put_number(&block[end], hash_bytes128({block.data(), end}).low, 8);
}

bool is_sealed(std::string_view block, std::string_view mark) {
  const std::size_t end = block.size() - 8;
  return block.starts_with(mark) && get_number(block.data() + end, 8) == hash_bytes128(block.substr(0, end)).low;
}

}  // namespace

std::string segment_name(std::uint64_t number) { return fmt::format("{}{:020}{}", prefix, number, suffix); }

std::optional<std::uint64_t> segment_number(std::string_view file) {
  if (!file.starts_with(prefix) || !file.ends_with(suffix)) return {};
  std::uint64_t number = 0;
  file.remove_prefix(prefix.size());
  file.remove_suffix(suffix.size());
  if (!detail::parse_number(file, number)) return {};
  return number;
}

std::string write_header(const segment_header& header) {
  std::string block(segment_header_size, '\0');
  std::ranges::copy(segment_mark, block.begin());
  put_number(&block[8], header.version, 4);
  put_number(&block[12], header.name.size(), 4);
  put_number(&block[16], header.number, 8);
  put_number(&block[24], header.first, 8);
  std::ranges::copy(header.name, block.begin() + name_at);
  seal(block);
  return block;
}

std::optional<segment_header> read_header(std::string_view bytes) {
  if (bytes.size() < segment_header_size) return {};
  bytes = bytes.substr(0, segment_header_size);
  if (!is_sealed(bytes, segment_mark)) return {};
  const std::size_t length = std::min(get_number(bytes.data() + 12, 4), max_log_name);
  return segment_header{.version = static_cast<std::uint32_t>(get_number(bytes.data() + 8, 4)),
                        .number = get_number(bytes.data() + 16, 8),
                        .first = get_number(bytes.data() + 24, 8),
                        .name = std::string{bytes.substr(name_at, length)}};
}

std::string write_checkpoint(const log_checkpoint& mark) {
  std::string block(checkpoint_size, '\0');
  std::ranges::copy(checkpoint_mark, block.begin());
  put_number(&block[8], mark.applied, 8);
  put_number(&block[16], mark.durable, 8);
  seal(block);
  return block;
}

std::optional<log_checkpoint> read_checkpoint(std::string_view bytes) {
  if (bytes.size() < checkpoint_size) return {};
  bytes = bytes.substr(0, checkpoint_size);
  if (!is_sealed(bytes, checkpoint_mark)) return {};
  return log_checkpoint{.applied = get_number(bytes.data() + 8, 8), .durable = get_number(bytes.data() + 16, 8)};
}

}  // namespace seawall::source
