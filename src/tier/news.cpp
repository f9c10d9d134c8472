#include "news.hpp"

#include "canary.hpp"
#include "core.hpp"
#include "plain_scripts.hpp"
#include "scripts.hpp"
#include "seawall/cmd/builder.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace seawall::tier {
namespace {

constexpr std::size_t sender_size = nonce_size;

void heard(core& by, std::string_view bytes) {
  const auto message = decode_news(bytes);
  if (!message) return;
  const bool own = message->sender == by.token();
  for (const std::string_view key : message->keys) {
    // What this tier changed it has told its caches; but its canary is to come back to it.
    if (!own || key.starts_with(canary_key_start)) by.on_invalidate(0, key);
  }
}

}  // namespace

std::string encode_news(std::string_view sender, std::span<const std::string_view> keys) {
  std::string bytes{sender};
  for (const std::string_view key : keys) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(key.size() >> shift);
    bytes += key;
  }
  return bytes;
}

std::optional<news_message> decode_news(std::string_view bytes) {
  if (bytes.size() < sender_size) return std::nullopt;
  news_message message{.sender = bytes.substr(0, sender_size), .keys = {}};
  bytes.remove_prefix(sender_size);
  while (!bytes.empty()) {
    if (bytes.size() < 4) return std::nullopt;
    std::size_t size = 0;
    for (const char byte : bytes.substr(0, 4)) size = size << 8 | static_cast<std::uint8_t>(byte);
    bytes.remove_prefix(4);
    if (bytes.size() < size) return std::nullopt;
    message.keys.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return message;
}

void add_changed_keys(const cmd::any_command& what, std::vector<std::string_view>& to) {
  const resp::command_bytes& words = what.encoded();
  const std::string_view name = what.name();
  if (name == "UNLINK") {
    for (std::size_t i = 1; i < words.arguments(); ++i) to.push_back(words.argument(i));
  } else if (name == "SET") {
    // With NX it is a lease, or a record that nobody had.
    if (words.arguments() > 3 && words.argument(3) == "NX") return;
    to.push_back(words.argument(1));
  } else if (name == "EVALSHA") {
    const std::string_view program = words.argument(1);
    const bool changes = program == fill_script().digest() || program == put_script().digest() ||
                         program == release_script().digest() || program == plain_fill_script().digest();
    if (changes) to.push_back(words.argument(3));
  }
}

cmd::command<resp::value> publish_command(const core& of, std::span<const std::string_view> keys) {
  return cmd::builder{"PUBLISH"}.text(of.options().channel).text(encode_news(of.token(), keys));
}

void news::begin(const std::shared_ptr<core>& of) {
  const std::lock_guard lock{mutex_};
  if (closed_ || !open_ || std::exchange(begun_, true)) return;
  subscription_ = open_(
      of->options().channel,
      [weak = std::weak_ptr{of}](std::string_view message) {
        if (const auto tier = weak.lock()) heard(*tier, message);
      },
      [weak = std::weak_ptr{of}] {
        if (const auto tier = weak.lock()) tier->listeners().all_changed();
      });
}

// Waits until no handler runs any more, so not under the lock.
void news::close() {
  std::shared_ptr<void> ended;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    ended = std::exchange(subscription_, nullptr);
  }
}

}  // namespace seawall::tier
