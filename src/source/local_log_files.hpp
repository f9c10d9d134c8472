// The files of a local log: names, the header of a segment, the checkpoint. Numbers are little-endian.
//   segment-<20 digits>.log   256 bytes of header, then records (local_log_record.hpp)
//   checkpoint                32 bytes
// Thread safety: pure functions.
#pragma once

#include "local_log_record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace seawall::source {

inline constexpr std::size_t segment_header_size = 256;
inline constexpr std::size_t max_log_name = 200;
inline constexpr std::uint32_t log_format_version = 1;
inline constexpr std::string_view checkpoint_name = "checkpoint";
inline constexpr std::string_view damaged_suffix = ".damaged";

std::string segment_name(std::uint64_t number);
std::optional<std::uint64_t> segment_number(std::string_view file);

struct segment_header {
  std::uint32_t version = log_format_version;
  std::uint64_t number = 0;
  std::uint64_t first = 0;  ///< the sequence from which on this segment counts, and no older one
  std::string name = {};    ///< of the write-behind
};

std::string write_header(const segment_header& header);
/// Nothing if it is not whole and right. The version is for the caller to look at.
std::optional<segment_header> read_header(std::string_view bytes);

struct log_checkpoint {
  std::uint64_t applied = 0;
  std::uint64_t durable = 0;  ///< what the log held for sure at that moment
};

std::string write_checkpoint(const log_checkpoint& mark);
std::optional<log_checkpoint> read_checkpoint(std::string_view bytes);

}  // namespace seawall::source
