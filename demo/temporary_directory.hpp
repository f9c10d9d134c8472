// A directory for the servers of one run.
#pragma once

#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace seawall::demo {

/// Only its owner may look into it; goes with the object, and all that is in it.
class temporary_directory {
 public:
  /// Throws std::runtime_error, which names what it was wanted for and the ways out: TMPDIR, and `or_else`.
  temporary_directory(std::string_view wanted_for, std::string_view or_else) {
    const auto in = std::filesystem::temp_directory_path();
    std::string pattern = (in / "seawall-demo-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::runtime_error(fmt::format("no directory for a private {} can be made in {}; set TMPDIR, or {}",
                                           wanted_for, in.string(), or_else));
    }
    path_ = pattern;
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace seawall::demo
