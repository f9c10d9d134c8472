// news: changes of keys as messages on a channel, for servers that do not tell of changes themselves. Each command that
// changes what others may have read is followed, in the same piece, by a PUBLISH of its keys.
//
// A message: 12 bytes that name the tier which sent it; then for each key 4 bytes length (big-endian) and the key.
#pragma once

#include "seawall/cmd/command.hpp"
#include "seawall/resp/value.hpp"
#include "seawall/tier/remote_tier.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::tier {

class core;

std::string encode_news(std::string_view sender, std::span<const std::string_view> keys);

struct news_message {
  std::string_view sender;
  std::vector<std::string_view> keys;
};
/// Nothing for bytes that are no such message.
std::optional<news_message> decode_news(std::string_view bytes);

/// Adds the keys that a command of a tier changes, if others are to hear of it.
void add_changed_keys(const cmd::any_command& what, std::vector<std::string_view>& to);

/// The PUBLISH of these keys.
cmd::command<resp::value> publish_command(const core& of, std::span<const std::string_view> keys);

/// A tier's subscription. Thread safety: all members may be called from any thread.
class news {
 public:
  /// Before the first call.
  void use(remote_tier::open_channel open) { open_ = std::move(open); }
  /// Subscribes, once.
  void begin(const std::shared_ptr<core>& of);
  void close();

 private:
  remote_tier::open_channel open_;
  std::mutex mutex_;
  bool begun_ = false;                  // guarded by mutex_
  bool closed_ = false;                 // guarded by mutex_
  std::shared_ptr<void> subscription_;  // guarded by mutex_
};

}  // namespace seawall::tier
