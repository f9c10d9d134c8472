#include "servers/temp_dir.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <system_error>
#include <vector>

namespace seawall::servers {
namespace {

void remove_unless_failed(const std::filesystem::path& path) {
  if (::testing::UnitTest::GetInstance()->Failed()) {
    fmt::print(stderr, "kept for inspection: {}\n", path.string());
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

// Folders whose owner an exception destroyed: whether it makes the test fail is known when GoogleTest, or the test, has
// caught it.
class undecided {
 public:
  static undecided& instance() {
    static undecided only;
    return only;
  }
  ~undecided() {
    for (const auto& path : paths_) remove_unless_failed(path);
  }
  void add(const std::filesystem::path& path) {
    const std::lock_guard lock{mutex_};
    paths_.push_back(path);
  }

 private:
  std::mutex mutex_;
  std::vector<std::filesystem::path> paths_;
};

}  // namespace

temp_dir::temp_dir(std::string_view purpose) {
  static std::atomic<unsigned> made{0};
  // A process with this id may have left its folder behind.
  do {
    path_ = std::filesystem::path{::testing::TempDir()} / fmt::format("seawall-{}-{}-{}", ::getpid(), ++made, purpose);
  } while (!std::filesystem::create_directories(path_));
}

temp_dir::~temp_dir() {
  if (std::uncaught_exceptions() > 0) {
    undecided::instance().add(path_);
  } else {
    remove_unless_failed(path_);
  }
}

}  // namespace seawall::servers
