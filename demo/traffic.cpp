#include "traffic.hpp"

#include <fmt/core.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>

namespace seawall::demo {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "traces are read as they are stored");

/// Traces are some megabytes; a file that unpacks to more than this is no trace.
constexpr std::size_t max_trace_bytes = std::size_t{1} << 30;

std::vector<char> read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || fs::is_directory(file)) throw traffic_error(fmt::format("trace {}: cannot be opened", file.string()));
  std::vector<char> bytes(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) throw traffic_error(fmt::format("trace {}: cannot be read", file.string()));
  return bytes;
}

std::vector<char> unpack(const std::vector<char>& packed, const fs::path& file) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 27);  // the traces are packed with --long=27
  std::vector<char> plain;
  std::vector<char> block(std::size_t{1} << 20);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  std::size_t wanted = 1;
  while (in.pos < in.size) {
    ZSTD_outBuffer out{block.data(), block.size(), 0};
    wanted = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(wanted) != 0) {
      throw traffic_error(fmt::format("trace {}: damaged: {}", file.string(), ZSTD_getErrorName(wanted)));
    }
    plain.insert(plain.end(), block.data(), block.data() + out.pos);
    if (plain.size() > max_trace_bytes) {
      throw traffic_error(fmt::format("trace {}: longer than {} bytes", file.string(), max_trace_bytes));
    }
  }
  if (wanted != 0) throw traffic_error(fmt::format("trace {}: ends too early", file.string()));
  return plain;
}

std::vector<request_key> products(const std::vector<std::uint64_t>& keys, std::uint64_t salt, const shop_size& size) {
  std::vector<request_key> requests;
  requests.reserve(keys.size());
  for (const std::uint64_t key : keys) requests.push_back(product_request(key, salt, size));
  return requests;
}

std::vector<request_key> lookups(const std::vector<std::uint64_t>& keys, const shop_size& size) {
  std::vector<request_key> requests;
  requests.reserve(keys.size());
  for (const std::uint64_t key : keys) requests.push_back(lookup_request(key, size));
  return requests;
}

/// An id in 1..n.
std::uint32_t id_of(std::uint64_t hash, std::uint32_t n) { return 1 + static_cast<std::uint32_t>(hash % n); }

}  // namespace

bool is_known_traffic(std::string_view name) {
  return name == "web07" || name == "web12" || name == "orm" || name == "all";
}

std::vector<std::uint64_t> read_trace(const fs::path& file) {
  std::vector<char> bytes = read_file(file);
  if (file.extension() == ".zst") bytes = unpack(bytes, file);
  if (bytes.empty() || bytes.size() % sizeof(std::uint64_t) != 0) {
    throw traffic_error(fmt::format("trace {}: {} bytes are not a whole number of 64-bit keys", file.string(),
                                    bytes.size()));
  }
  std::vector<std::uint64_t> keys(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(keys.data(), bytes.data(), bytes.size());
  return keys;
}

request_key product_request(std::uint64_t trace_key, std::uint64_t salt, const shop_size& size) {
  return {request_kind::product_page, 0, id_of(mix(trace_key ^ mix(salt)), size.products)};
}

request_key lookup_request(std::uint64_t trace_key, const shop_size& size) {
  const std::uint64_t share = mix(trace_key) % 100;
  const std::uint64_t hash = mix(mix(trace_key) + 1);
  if (share < 60) return {request_kind::user, 0, id_of(hash, size.users)};
  if (share < 88) {
    const std::uint32_t first = size.first_open_order();
    return {request_kind::order, 0, first - 1 + id_of(hash, size.orders - first + 1)};
  }
  if (share < 99) {
    // Most clients look at the first page of their orders.
    const std::uint64_t turn = (hash >> 40) % 10;
    const std::uint8_t page = turn < 8 ? 0 : turn == 8 ? 1 : 2;
    return {request_kind::order_list, page, id_of(hash, size.users)};
  }
  return {request_kind::dashboard, 0, id_of(hash, size.users)};
}

std::vector<request_key> interleave(const std::vector<std::vector<request_key>>& streams) {
  std::size_t total = 0;
  for (const auto& stream : streams) total += stream.size();
  std::vector<request_key> merged;
  merged.reserve(total);
  std::vector<std::size_t> taken(streams.size());
  while (merged.size() < total) {
    // The stream that lags most behind its share goes next.
    std::size_t next = streams.size();
    double least = 2;
    for (std::size_t s = 0; s < streams.size(); ++s) {
      if (taken[s] == streams[s].size()) continue;
      const double done = (static_cast<double>(taken[s]) + 0.5) / static_cast<double>(streams[s].size());
      if (done < least) {
        least = done;
        next = s;
      }
    }
    merged.push_back(streams[next][taken[next]++]);
  }
  return merged;
}

std::vector<request_key> load_traffic(const std::string& name, const fs::path& directory, const shop_size& size) {
  if (!is_known_traffic(name)) return lookups(read_trace(name), size);
  const auto trace = [&](std::string_view file) { return read_trace(directory / fmt::format("c2k-{}.u64.zst", file)); };
  std::vector<std::vector<request_key>> streams;
  if (name == "web07" || name == "all") streams.push_back(products(trace("web07"), 7, size));
  if (name == "web12" || name == "all") streams.push_back(products(trace("web12"), 12, size));
  if (name == "orm" || name == "all") streams.push_back(lookups(trace("orm-busy"), size));
  return interleave(streams);
}

fs::path find_trace_directory() {
  std::error_code ignored;
  for (fs::path start : {fs::current_path(ignored), fs::read_symlink("/proc/self/exe", ignored).parent_path()}) {
    for (; !start.empty(); start = start.parent_path()) {
      if (fs::is_directory(start / "data/traces", ignored)) return start / "data/traces";
      if (start == start.parent_path()) break;
    }
  }
  return "data/traces";
}

}  // namespace seawall::demo
