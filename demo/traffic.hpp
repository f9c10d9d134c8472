// Real traffic as requests to the shop: reads traces and maps their keys, always in the same way, to what is asked for.
#pragma once

#include "request.hpp"
#include "shop_schema.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace seawall::demo {

/// A trace that cannot be found or read; the text names the file.
struct traffic_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The names that `load_traffic` knows, for messages: "web07, web12, orm, all".
inline constexpr std::string_view known_traffic = "web07, web12, orm, all";
bool is_known_traffic(std::string_view name);

/// The keys of one trace file: little-endian 64-bit numbers, plain (`.u64`) or compressed (`.u64.zst`).
std::vector<std::uint64_t> read_trace(const std::filesystem::path& file);

/// A product-page request of a shop's web server. `salt` keeps the keys of different traces apart.
request_key product_request(std::uint64_t trace_key, std::uint64_t salt, const shop_size& size);
/// A lookup of the shop's object-relational mapper: by its key about 60 % user, 28 % order, 11 % order list and
/// 1 % dashboard. Order lookups are of the open year.
request_key lookup_request(std::uint64_t trace_key, const shop_size& size);

/// Several streams as one: each keeps its order, and they are spread evenly over the whole.
std::vector<request_key> interleave(const std::vector<std::vector<request_key>>& streams);

/// The requests of a known name, or of a trace file (mapped as ORM lookups), in the order in which they are replayed.
std::vector<request_key> load_traffic(const std::string& name, const std::filesystem::path& trace_directory,
                                      const shop_size& size);

/// Two of a hundred requests write. The index counts on over repetitions of the trace, and so the writes move.
inline constexpr std::uint64_t writes_per_hundred = 2;
inline bool is_write(std::uint64_t index) { return mix(index ^ 0x77726974) % 100 < writes_per_hundred; }

/// Where the project keeps its traces: `data/traces` in this directory or one above it, or above the executable's.
std::filesystem::path find_trace_directory();

}  // namespace seawall::demo
