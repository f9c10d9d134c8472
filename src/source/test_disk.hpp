// A disk in memory that fails as disks do: full, unsyncable, cut off at any operation. What was not synced is gone in
// part after a crash, page by page, and a failed sync is not made good by a second one.
#pragma once

#include "file_layer.hpp"

#include "seawall/base/random.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::source {

enum class disk_operation { create, append, sync, truncate, rename, remove, sync_directory };

class test_disk final : public file_layer {
 public:
  /// Asked before every change; a number of errno makes it fail.
  std::function<int(disk_operation, const std::string& path)> fault = nullptr;
  /// With this many changes done the machine is off: the next one is done in part, and all after it fail.
  std::size_t off_at = std::numeric_limits<std::size_t>::max();

  std::size_t changes() const noexcept { return changes_; }

  /// The disk after the loss of power. Files that are open keep what they had for themselves.
  void lose_power(random_source& random) {
    names_ = history_[random.next() % history_.size()];
    history_ = {names_};
    for (auto& [path, file] : names_) {
      std::string left = after_crash(*file, random);
      file = std::make_shared<node>(node{.content = left, .durable = left});
    }
    restart();
  }
  /// The disk after the end of the process: the operating system writes what it has, some time.
  void restart() noexcept {
    off_at = std::numeric_limits<std::size_t>::max();
    changes_ = 0;
    off_ = false;
    locked_ = false;
  }

  /// The content of a file, to be damaged; null if there is none.
  std::string* content(const std::string& path) {
    const auto found = names_.find(path);
    return found == names_.end() ? nullptr : &found->second->content;
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& [path, file] : names_) all.push_back(path);
    return all;
  }

  result<void> make_directory(const std::string&) override { return {}; }

  result<std::unique_ptr<directory_lock>> lock(const std::string& directory) override {
    if (locked_) return storage_failure(EBUSY, "lock", directory);
    return std::make_unique<held>(*this);
  }

  result<std::vector<std::string>> list(const std::string& directory) override {
    std::vector<std::string> found;
    for (const auto& [path, file] : names_) {
      if (path.starts_with(directory + '/')) found.push_back(path.substr(directory.size() + 1));
    }
    return found;
  }

  result<std::unique_ptr<log_file>> create(const std::string& path) override {
    if (auto allowed = change(disk_operation::create, path); !allowed) return std::unexpected(allowed.error());
    names_[path] = std::make_shared<node>();
    history_.push_back(names_);
    return std::make_unique<open_file>(*this, path, names_[path]);
  }

  result<std::string> read(const std::string& path, std::size_t most) override {
    const auto found = names_.find(path);
    if (found == names_.end()) return storage_failure(ENOENT, "open", path);
    return found->second->content.substr(0, most);
  }

  result<void> rename(const std::string& from, const std::string& to) override {
    if (auto allowed = change(disk_operation::rename, from); !allowed) return allowed;
    if (!names_.contains(from)) return storage_failure(ENOENT, "rename", from);
    names_[to] = names_[from];
    names_.erase(from);
    history_.push_back(names_);
    return {};
  }

  result<void> remove(const std::string& path) override {
    if (auto allowed = change(disk_operation::remove, path); !allowed) return allowed;
    names_.erase(path);
    history_.push_back(names_);
    return {};
  }

  result<void> sync_directory(const std::string& path) override {
    if (auto allowed = change(disk_operation::sync_directory, path); !allowed) return allowed;
    history_ = {names_};
    return {};
  }

 private:
  static constexpr std::size_t page = 32;

  struct node {
    std::string content;
    std::string durable;
    bool forgetful = false;  // a sync has failed: the kernel takes the pages for clean
  };
  using names = std::map<std::string, std::shared_ptr<node>>;

  class held final : public directory_lock {
   public:
    explicit held(test_disk& disk) : disk_(disk) { disk_.locked_ = true; }
    ~held() override { disk_.locked_ = false; }

   private:
    test_disk& disk_;
  };

  class open_file final : public log_file {
   public:
    open_file(test_disk& disk, std::string path, std::shared_ptr<node> file)
        : disk_(disk), path_(std::move(path)), file_(std::move(file)) {}

    result<void> append(std::string_view bytes) override {
      if (auto allowed = disk_.change(disk_operation::append, path_); !allowed) {
        if (!disk_.off_) file_->content += bytes.substr(0, disk_.changes_ * 7 % (bytes.size() + 1));
        disk_.off_ = disk_.changes_ > disk_.off_at;
        return allowed;
      }
      file_->content += bytes;
      return {};
    }
    result<void> sync() override {
      if (auto allowed = disk_.change(disk_operation::sync, path_); !allowed) {
        file_->forgetful = true;
        return allowed;
      }
      if (!file_->forgetful) file_->durable = file_->content;
      return {};
    }
    result<void> truncate(std::uint64_t size) override {
      if (auto allowed = disk_.change(disk_operation::truncate, path_); !allowed) return allowed;
      file_->content.resize(size);
      return {};
    }

   private:
    test_disk& disk_;
    std::string path_;
    std::shared_ptr<node> file_;
  };

  result<void> change(disk_operation what, const std::string& path) {
    if (++changes_ > off_at) {
      const auto failure = storage_failure(EIO, "write to", path);
      off_ = off_ || what != disk_operation::append;  // an append is cut off somewhere
      return failure;
    }
    const int code = fault ? fault(what, path) : 0;
    if (code != 0) return storage_failure(code, what == disk_operation::sync ? "sync" : "write to", path);
    return {};
  }

  static std::string after_crash(const node& file, random_source& random) {
    const std::string& now = file.content;
    if (now.size() < file.durable.size()) return random.next() % 2 == 0 ? now : file.durable;
    std::string left = now.substr(0, file.durable.size() + random.next() % (now.size() - file.durable.size() + 1));
    for (std::size_t at = file.durable.size(); at < left.size(); at = (at / page + 1) * page) {
      if (random.next() % 2 == 0) continue;
      const std::size_t end = std::min((at / page + 1) * page, left.size());
      std::fill(left.begin() + static_cast<std::ptrdiff_t>(at), left.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    }
    return left;
  }

  names names_;
  std::vector<names> history_{names{}};  // what a crash may leave of the names
  std::size_t changes_ = 0;
  bool locked_ = false;
  bool off_ = false;
};

}  // namespace seawall::source
