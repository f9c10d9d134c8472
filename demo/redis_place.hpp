// The Redis of a demo of several processes: the one that --redis names, or a private one of this run.
#pragma once

#include "child.hpp"
#include "temporary_directory.hpp"

#include <seawall/base/result.hpp>
#include <seawall/tier/remote_tier.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::demo {

/// The tier of one process. Nothing connects yet. Errors say what is wrong with the URL.
result<std::shared_ptr<remote_tier>> shop_tier(const std::string& url);

/// The URL without its password, for people.
std::string without_password(std::string_view url);

/// The version of the server; an error that says how to get one, if it does not answer.
result<std::string> look_at_server(const std::string& url);

/// Removes keys, as well as the server lets it: a demo leaves no data behind. What remains, expires.
void remove_keys(const std::string& url, const std::vector<std::string>& keys);

/// A server for this run alone, on a Unix socket in a directory of its own, in memory only.
class private_redis {
 public:
  /// Starts it and waits until it answers. Throws std::runtime_error, which names the ways out. For the thread: see
  /// child.
  private_redis();
  /// Ends it and removes its files.
  ~private_redis();
  private_redis(const private_redis&) = delete;
  private_redis& operator=(const private_redis&) = delete;

  const std::string& url() const noexcept { return url_; }
  std::string socket() const { return (directory_.path() / "redis.sock").string(); }
  pid_t pid() const noexcept { return server_->pid(); }
  bool running() { return server_->running(); }

 private:
  std::vector<std::string> command() const;

  temporary_directory directory_;
  std::string url_;
  std::optional<child> server_;
};

}  // namespace seawall::demo
