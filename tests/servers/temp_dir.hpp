// temp_dir: a folder of one test, removed at its end unless the test failed.
#pragma once

#include <filesystem>
#include <string_view>

namespace seawall::servers {

/// A new folder below GoogleTest's folder for temporary files (TEST_TMPDIR, or /tmp). The destructor removes it with
/// all that is in it; if a test of this process has failed, it stays and its name is printed.
class temp_dir {
 public:
  /// `purpose` becomes a part of the name. Throws std::filesystem::filesystem_error.
  explicit temp_dir(std::string_view purpose);
  ~temp_dir();
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace seawall::servers
