// The database file: made once, used again, never mixed up with anybody else's file, and used by one demo at a time.
#pragma once

#include "shop_generate.hpp"
#include "shop_schema.hpp"

#include <stdexcept>
#include <string>

namespace seawall::demo {

/// A sentence that names the file and says what to do.
struct shop_file_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Holds `PATH.lock` for as long as it lives; the kernel lets go of it when the process ends in any way.
class file_lock {
 public:
  file_lock() = default;
  explicit file_lock(const std::string& path);
  ~file_lock();
  file_lock(file_lock&& other) noexcept;
  file_lock& operator=(file_lock&& other) noexcept;

 private:
  int descriptor_ = -1;
};

struct shop_file {
  std::string path;
  shop_size size;
  bool generated = false;  ///< just now; false: it was there
  file_lock lock;
};

/// Finds a complete shop of this size at `path`, or generates it under a temporary name and renames it.
/// `make_directory`: create the directory if it is missing (for the default path), else that is an error.
/// A shop of another size or of an older schema is replaced; any other file is left alone and an error.
/// Throws shop_file_error, sqlite_error or generation_stopped.
shop_file open_shop(const std::string& path, const shop_size& size, bool make_directory,
                    const generate_progress& progress);

/// Roughly what the database and its log need on disk.
std::uint64_t shop_bytes(const shop_size& size);

}  // namespace seawall::demo
