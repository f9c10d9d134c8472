#include "shop_file.hpp"

#include "sqlite.hpp"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

namespace seawall::demo {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view other_path = "choose another with --database PATH";

enum class found { nothing, complete, outdated };

/// The fixed fields at the start of every SQLite file (https://sqlite.org/fileformat.html#the_database_header).
struct sqlite_header {
  static constexpr std::string_view magic{"SQLite format 3\0", 16};
  std::array<char, 100> bytes{};

  std::uint32_t big_endian(std::size_t at) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  }
  bool is_sqlite() const { return std::string_view(bytes.data(), magic.size()) == magic; }
  std::uint64_t page_size() const {
    const std::uint32_t size = big_endian(16) >> 16;
    return size == 1 ? 65536 : size;
  }
  std::uint64_t pages() const { return big_endian(28); }
  std::uint32_t user_version() const { return big_endian(60); }
  std::uint32_t application_id() const { return big_endian(68); }
};

found look_at(const std::string& path, const shop_size& size) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::not_found) return found::nothing;
  if (code) throw shop_file_error(fmt::format("database {}: {}; {}", path, code.message(), other_path));
  if (fs::is_directory(status)) {
    throw shop_file_error(fmt::format("database {}: that is a directory; name a file in it: --database {}", path,
                                      (fs::path(path) / "shop.db").string()));
  }
  if (!fs::is_regular_file(status)) {
    throw shop_file_error(fmt::format("database {}: that is not a regular file; {}", path, other_path));
  }
  sqlite_header header;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw shop_file_error(fmt::format("database {}: {}; {}", path, std::strerror(errno), other_path));
  in.read(header.bytes.data(), header.bytes.size());
  if (!in || !header.is_sqlite()) {
    throw shop_file_error(
        fmt::format("database {}: that is not an SQLite database, so it is left alone; remove it, or {}", path,
                    other_path));
  }
  if (header.application_id() != shop_application_id) {
    throw shop_file_error(
        fmt::format("database {}: that database is another program's, so it is left alone; {}", path, other_path));
  }
  // With a log beside it, SQLite may still complete the file.
  if (!fs::exists(path + "-wal") && fs::file_size(path) < header.pages() * header.page_size()) {
    throw shop_file_error(fmt::format(
        "database {}: the file is damaged (shorter than its header says): remove it and run again, it will be "
        "generated anew", path));
  }
  if (header.user_version() != shop_schema_version) return found::outdated;
  return read_shop_size(path) == size ? found::complete : found::outdated;
}

void need_directory(const std::string& path, bool make) {
  const fs::path directory = fs::path(path).parent_path();
  std::error_code code;
  if (directory.empty() || fs::is_directory(directory, code)) return;
  if (make) fs::create_directories(directory, code);
  if (!make || code) {
    throw shop_file_error(fmt::format("database {}: the directory {} does not exist{}; create it, or {}", path,
                                      directory.string(), make ? " and cannot be made: " + code.message() : "",
                                      other_path));
  }
}

void need_space(const std::string& path, const shop_size& size) {
  std::error_code code;
  const fs::path directory = fs::path(path).parent_path();
  const fs::space_info space = fs::space(directory.empty() ? "." : directory, code);
  if (code || space.available >= shop_bytes(size)) return;
  throw shop_file_error(fmt::format("database {}: it needs about {} MB, and the disk has {} MB left; free some, or {}",
                                    path, shop_bytes(size) / 1'000'000, space.available / 1'000'000, other_path));
}

void remove_with_log(const std::string& path) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) fs::remove(path + suffix, ignored);
}

void sync_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int why = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) throw shop_file_error(fmt::format("database {}: cannot be written out: {}", path, std::strerror(why)));
}

void generate(const std::string& path, const shop_size& size, const generate_progress& progress) {
  const std::string unfinished = path + ".unfinished";
  remove_with_log(unfinished);
  need_space(path, size);
  try {
    generate_shop(unfinished, size, progress);
    sync_file(unfinished);
  } catch (...) {
    remove_with_log(unfinished);
    throw;
  }
  remove_with_log(path);
  std::error_code code;
  fs::rename(unfinished, path, code);
  if (code) throw shop_file_error(fmt::format("database {}: {}; {}", path, code.message(), other_path));
}

}  // namespace

file_lock::file_lock(const std::string& path) {
  const std::string name = path + ".lock";
  descriptor_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw shop_file_error(fmt::format("database {}: cannot write beside it: {}; {}", path, std::strerror(errno),
                                      other_path));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(std::exchange(descriptor_, -1));
    throw shop_file_error(
        fmt::format("database {}: another seawall-demo is using it; wait for its end, or {}", path, other_path));
  }
}

file_lock::~file_lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

file_lock::file_lock(file_lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

file_lock& file_lock::operator=(file_lock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

std::uint64_t shop_bytes(const shop_size& size) { return 1'000'000 + std::uint64_t{size.orders} * 220; }

shop_file open_shop(const std::string& path, const shop_size& size, bool make_directory,
                    const generate_progress& progress) {
  need_directory(path, make_directory);
  if (look_at(path, size) == found::complete) {
    return {path, size, false, file_lock(path)};
  }
  shop_file shop{path, size, true, file_lock(path)};
  // Somebody else may have finished it before the lock was ours.
  if (look_at(path, size) == found::complete) {
    shop.generated = false;
  } else {
    generate(path, size, progress);
  }
  return shop;
}

}  // namespace seawall::demo
