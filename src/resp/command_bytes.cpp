#include "seawall/resp/command_bytes.hpp"

#include <algorithm>
#include <charconv>

namespace seawall::resp {
namespace {

/// "$4294967295\r\n" and the CR LF behind the bytes.
constexpr std::size_t around_argument = 15;

/// The same for an argument of this size; exact for the short ones, which are to fit into the object.
std::size_t around(std::size_t size) noexcept { return size < 10 ? 6 : size < 100 ? 7 : around_argument; }

char* write_argument(char* out, std::string_view bytes) noexcept {
  out = write_header(out, kind::bulk_string, bytes.size());
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  out += bytes.size();
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

}  // namespace

void command_bytes::append_all(const std::string_view* arguments, std::size_t count) {
  std::size_t more = 0;
  for (std::size_t i = 0; i != count; ++i) {
    // Saturates, so that no sum can wrap around.
    more += std::min(arguments[i].size(), max_size) + around(arguments[i].size());
    if (more > max_size) break;
  }
  if (count == 0 || !make_room(more)) return;
  char* const start = data();
  char* out = start + end_;
  for (std::size_t i = 0; i != count; ++i) out = write_argument(out, arguments[i]);
  end_ = static_cast<std::uint32_t>(out - start);
  arguments_ += static_cast<std::uint32_t>(count);
  if (arguments_ < 10) {
    begin_ = body - 4;
    const char header[4] = {'*', static_cast<char>('0' + arguments_), '\r', '\n'};
    std::memcpy(start + begin_, header, sizeof header);
    return;
  }
  std::array<char, max_header> header;
  const auto length = static_cast<std::size_t>(write_header(header.data(), kind::array, arguments_) - header.data());
  begin_ = static_cast<std::uint8_t>(body - length);
  std::memcpy(start + begin_, header.data(), length);
}

command_bytes& command_bytes::append(std::int64_t number) {
  std::array<char, 20> digits;
  const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return append(std::string_view{digits.data(), end});
}

command_bytes& command_bytes::append_encoded(std::string_view commands) {
  if (commands.empty() || !make_room(commands.size())) return *this;
  std::memcpy(data() + end_, commands.data(), commands.size());
  end_ += static_cast<std::uint32_t>(commands.size());
  return *this;
}

void command_bytes::reserve(std::size_t bytes, std::size_t count) {
  const std::size_t more = std::min(bytes, max_size) + std::min(count, max_size) * around_argument;
  if (more <= max_size - end_ && end_ + more > capacity_) grow(end_ + more);
}

/// False: it would get too large, or has been so before, since a command with a hole is another command.
bool command_bytes::make_room(std::size_t more) {
  if (too_large_ || more > max_size - end_) {
    too_large_ = true;
    return false;
  }
  return end_ + more <= capacity_ || grow(std::max(end_ + more, std::size_t{capacity_} * 2));
}

bool command_bytes::grow(std::size_t size) {
  std::unique_ptr<char[]> larger{new char[size]};
  std::memcpy(larger.get() + begin_, data() + begin_, end_ - std::size_t{begin_});
  heap_ = std::move(larger);
  capacity_ = static_cast<std::uint32_t>(size);
  return true;
}

void command_bytes::take(command_bytes& other) noexcept {
  heap_ = std::move(other.heap_);
  // The whole array, of which the compiler makes a few wide moves.
  if (!heap_) std::memcpy(inline_.data(), other.inline_.data(), inline_size);
  capacity_ = std::exchange(other.capacity_, static_cast<std::uint32_t>(inline_size));
  end_ = std::exchange(other.end_, body);
  arguments_ = std::exchange(other.arguments_, 0U);
  begin_ = std::exchange(other.begin_, static_cast<std::uint8_t>(body));
  too_large_ = std::exchange(other.too_large_, false);
}

command_bytes command_bytes::clone() const {
  command_bytes copy;
  if (end_ > inline_size) copy.grow(end_);
  std::memcpy(copy.data() + begin_, data() + begin_, end_ - std::size_t{begin_});
  copy.end_ = end_;
  copy.arguments_ = arguments_;
  copy.begin_ = begin_;
  copy.too_large_ = too_large_;
  return copy;
}

std::string_view command_bytes::argument(std::size_t index) const noexcept {
  const char* at = data() + body;
  for (;; --index) {
    std::size_t length = 0;
    for (++at; *at != '\r'; ++at) length = length * 10 + static_cast<std::size_t>(*at - '0');
    at += 2;
    if (index == 0) return {at, length};
    at += length + 2;
  }
}

}  // namespace seawall::resp
