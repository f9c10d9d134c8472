// Traces of requests: NAME.u64 or NAME.u64.zst, one little-endian 64-bit key per request; NAME.size.u32[.zst] beside
// it, one 32-bit size per request, where the origin has sizes. Reading throws trace_error, which names the file.
#pragma once

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace seawall::bench {

static_assert(std::endian::native == std::endian::little, "traces are read as they are stored");

class trace_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What is replayed. `ids` numbers the distinct keys 0, 1, 2, ... for those who want arrays instead of tables.
struct trace {
  std::string name;
  std::vector<std::uint64_t> keys;
  std::vector<std::uint32_t> sizes{};  ///< Of the object of each request; empty: unknown.
  std::vector<std::uint32_t> ids{};
  std::size_t distinct = 0;

  void number_keys() {
    std::vector<std::uint64_t> sorted = keys;
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    distinct = sorted.size();
    ids.resize(keys.size());
    for (std::size_t i = 0; i != keys.size(); ++i) {
      ids[i] = static_cast<std::uint32_t>(std::lower_bound(sorted.begin(), sorted.end(), keys[i]) - sorted.begin());
    }
  }
};

inline std::vector<char> unpacked(const std::vector<char>& packed, const std::string& file) {
  constexpr std::size_t most = std::size_t{1} << 33;  // 1 billion requests
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 27);
  std::vector<char> plain;
  std::vector<char> block(std::size_t{1} << 20);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  ZSTD_outBuffer out{block.data(), block.size(), 0};
  std::size_t wanted = 1;
  while (in.pos < in.size || (wanted != 0 && out.pos == out.size)) {  // a full block may have more behind it
    out = {block.data(), block.size(), 0};
    wanted = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(wanted) != 0) {
      throw trace_error(fmt::format("{} is damaged: {}", file, ZSTD_getErrorName(wanted)));
    }
    plain.insert(plain.end(), block.data(), block.data() + out.pos);
    if (plain.size() > most) throw trace_error(fmt::format("{} unpacks to more than {} bytes", file, most));
  }
  if (wanted != 0) throw trace_error(fmt::format("{} ends too early", file));
  return plain;
}

template <class T>
std::vector<T> read_numbers(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<char> bytes(std::istreambuf_iterator<char>(in), {});
  if (!in && !in.eof()) throw trace_error(fmt::format("{} cannot be read", file.string()));
  if (file.extension() == ".zst") bytes = unpacked(bytes, file.string());
  if (bytes.empty() || bytes.size() % sizeof(T) != 0) {
    throw trace_error(fmt::format("{} is torn: {} bytes are no sequence of {}-byte numbers", file.string(),
                                  bytes.size(), sizeof(T)));
  }
  std::vector<T> numbers(bytes.size() / sizeof(T));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

/// FOLDER/NAME.KIND or FOLDER/NAME.KIND.zst, whichever is there.
inline std::optional<std::filesystem::path> trace_file(const std::filesystem::path& folder, const std::string& name,
                                                       const std::string& kind) {
  for (const char* packed : {"", ".zst"}) {
    std::filesystem::path file = folder / fmt::format("{}.{}{}", name, kind, packed);
    if (std::filesystem::is_regular_file(file)) return file;
  }
  return std::nullopt;
}

/// Nothing when there is no such file.
inline std::optional<trace> read_trace(const std::filesystem::path& folder, const std::string& name) {
  const auto keys = trace_file(folder, name, "u64");
  if (!keys) return std::nullopt;
  trace read{.name = name, .keys = read_numbers<std::uint64_t>(*keys)};
  if (const auto sizes = trace_file(folder, name, "size.u32")) {
    read.sizes = read_numbers<std::uint32_t>(*sizes);
    if (read.sizes.size() != read.keys.size()) {
      throw trace_error(fmt::format("{} has {} sizes for {} requests", sizes->string(), read.sizes.size(),
                                    read.keys.size()));
    }
  }
  return read;
}

/// The names of all traces in a folder, in order.
inline std::vector<std::string> traces_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    const std::string file = entry.path().filename().string();
    for (const char* ending : {".u64", ".u64.zst"}) {
      if (file.ends_with(ending)) names.push_back(file.substr(0, file.size() - std::strlen(ending)));
    }
  }
  if (failed) throw trace_error(fmt::format("{} cannot be listed: {}", folder.string(), failed.message()));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace seawall::bench
