#include "file_layer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

namespace seawall::source {

std::unexpected<error> storage_failure(int code, std::string_view what, std::string_view path) {
  const boost::system::error_code reason{code, boost::system::system_category()};
  return std::unexpected(error{reason, fmt::format("cannot {} '{}': {}", what, path, reason.message())});
}

namespace {

class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

descriptor open_file(const std::string& path, int flags) {
  int number = -1;
  do {
    number = ::open(path.c_str(), flags | O_CLOEXEC, 0640);
  } while (number < 0 && errno == EINTR);
  return descriptor{number};
}

class posix_file final : public log_file {
 public:
  posix_file(descriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  result<void> append(std::string_view bytes) override {
    reserve(end_ + static_cast<off_t>(bytes.size()));
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), end_);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return storage_failure(written < 0 ? errno : EIO, "write to", path_);
      bytes.remove_prefix(static_cast<std::size_t>(written));
      end_ += written;
    }
    return {};
  }

  result<void> sync() override {
    // Interrupted is a failure, too: it says as little about the pages.
    if (::fdatasync(file_.get()) != 0) return storage_failure(errno, "sync", path_);
    return {};
  }

  result<void> truncate(std::uint64_t size) override {
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return storage_failure(errno, "truncate", path_);
    end_ = reserved_ = static_cast<off_t>(size);
    return {};
  }

 private:
  // Into blocks that the file has, and that were written before, a sync writes data alone: neither a new size nor that
  // the blocks are in use, for which it would wait for the journal of the file system, with all who write to that.
  // Where room cannot be had, writing takes it, or says that there is none.
  void reserve(off_t end) {
    if (end <= reserved_ || !reserves_) return;
    static constexpr std::array<char, std::size_t{64} << 10> zeros{};
    const off_t goal = end + std::clamp(end, off_t{64} << 10, off_t{1} << 20);
    reserves_ = ::fallocate(file_.get(), 0, reserved_, goal - reserved_) == 0;
    for (off_t at = std::max(end, reserved_); reserves_ && at < goal;) {
      const auto more = std::min(static_cast<std::size_t>(goal - at), zeros.size());
      const ssize_t written = ::pwrite(file_.get(), zeros.data(), more, at);
      reserves_ = written > 0;
      at += written;
    }
    if (reserves_) reserved_ = goal;
  }

  descriptor file_;
  std::string path_;
  off_t end_ = 0;
  off_t reserved_ = 0;
  bool reserves_ = true;
};

class posix_lock final : public directory_lock {
 public:
  explicit posix_lock(descriptor file) : file_(std::move(file)) {}

 private:
  descriptor file_;  // closing it gives the lock back
};

result<std::string> read_from(const descriptor& file, const std::string& path, std::size_t most) {
  std::string bytes;
  struct stat about {};
  if (::fstat(file.get(), &about) == 0 && about.st_size > 0) {
    bytes.reserve(std::min(static_cast<std::size_t>(about.st_size), most));
  }
  char piece[65536];
  while (bytes.size() < most) {
    const ssize_t got = ::read(file.get(), piece, std::min(sizeof piece, most - bytes.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return storage_failure(errno, "read", path);
    if (got == 0) break;
    bytes.append(piece, static_cast<std::size_t>(got));
  }
  return bytes;
}

class posix_files final : public file_layer {
 public:
  result<void> make_directory(const std::string& path) override {
    std::error_code problem;
    std::vector<std::filesystem::path> holders;  // of the directories that are new
    for (auto at = std::filesystem::absolute(path, problem); !problem && !std::filesystem::exists(at, problem);) {
      at = at.parent_path();
      holders.push_back(at);
    }
    if (!problem) std::filesystem::create_directories(path, problem);
    if (problem) return storage_failure(problem.value(), "create the directory", path);
    for (const auto& holder : holders) {
      if (auto done = sync_directory(holder); !done) return done;
    }
    return {};
  }

  result<std::unique_ptr<directory_lock>> lock(const std::string& directory) override {
    const std::string path = directory + "/lock";
    descriptor file = open_file(path, O_RDWR | O_CREAT);
    if (!file) return storage_failure(errno, "open", path);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return storage_failure(errno, "lock", path);
      const auto holder = read_from(file, path, whole_file);
      const boost::system::error_code busy{EBUSY, boost::system::system_category()};
      return std::unexpected(error{busy, fmt::format("'{}' is in use by process {}", directory,
                                                     holder && !holder->empty() ? *holder : "(unknown)")});
    }
    const std::string self = std::to_string(::getpid());
    if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), self.data(), self.size(), 0) < 0) {
      return storage_failure(errno, "write to", path);
    }
    return std::make_unique<posix_lock>(std::move(file));
  }

  result<std::vector<std::string>> list(const std::string& directory) override {
    std::vector<std::string> names;
    std::error_code problem;
    std::filesystem::directory_iterator at{directory, problem};
    for (; !problem && at != std::filesystem::directory_iterator{}; at.increment(problem)) {
      names.push_back(at->path().filename().string());
    }
    if (problem) return storage_failure(problem.value(), "list", directory);
    return names;
  }

  result<std::unique_ptr<log_file>> create(const std::string& path) override {
    descriptor file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file) return storage_failure(errno, "create", path);
    return std::make_unique<posix_file>(std::move(file), path);
  }

  result<std::string> read(const std::string& path, std::size_t most) override {
    const descriptor file = open_file(path, O_RDONLY);
    if (!file) return storage_failure(errno, "open", path);
    return read_from(file, path, most);
  }

  result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return storage_failure(errno, "rename", from);
    return {};
  }

  result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return storage_failure(errno, "remove", path);
    return {};
  }

  result<void> sync_directory(const std::string& path) override {
    const descriptor directory = open_file(path, O_RDONLY | O_DIRECTORY);
    if (!directory) return storage_failure(errno, "open", path);
    if (::fsync(directory.get()) != 0) return storage_failure(errno, "sync", path);
    return {};
  }
};

}  // namespace

result<std::unique_ptr<log_file>> write_beside(file_layer& files, const std::string& path, std::string_view bytes,
                                               bool durable) {
  const std::string unfinished = path + std::string{unfinished_suffix};
  auto file = files.create(unfinished);
  if (!file) return file;
  auto done = (*file)->append(bytes);
  if (done && durable) done = (*file)->sync();
  if (done) done = files.rename(unfinished, path);
  if (done) return file;
  file->reset();
  (void)files.remove(unfinished);  // the next opening does it, too
  return std::unexpected(std::move(done).error());
}

std::shared_ptr<file_layer> make_posix_files() { return std::make_shared<posix_files>(); }

}  // namespace seawall::source
