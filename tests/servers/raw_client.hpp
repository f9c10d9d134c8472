// raw_client: one blocking connection that speaks RESP, for the commands by which tests control real servers and for
// looking at bytes. It shares no code with Seawall's client, so that one cannot hide the other's mistakes.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::servers {

using arguments = std::vector<std::string>;

/// A reply as it came.
struct reply {
  char type = '_';                   ///< The byte that opened it; '_' for the nulls of RESP2, too.
  std::string text = {};             ///< Of strings, errors, numbers and booleans.
  std::vector<reply> elements = {};  ///< Of aggregates; a map's keys and values alternate.

  bool is_error() const noexcept { return type == '-' || type == '!'; }
  bool is_null() const noexcept { return type == '_'; }
  /// The value behind a key of a map, or of an array that alternates; the text of a missing one is empty.
  std::string operator[](std::string_view key) const;

  friend bool operator==(const reply& a, std::string_view b) { return a.text == b; }
  friend std::ostream& operator<<(std::ostream& to, const reply& what);
};

/// A command as bytes.
std::string encode(const arguments& command);

/// A connection. Everything throws std::runtime_error: when the connection is refused, closed, or silent for longer
/// than its patience. Thread safety: none.
class raw_client {
 public:
  static constexpr std::chrono::milliseconds default_patience = std::chrono::seconds{5};

  /// To 127.0.0.1.
  explicit raw_client(std::uint16_t port, std::chrono::milliseconds patience = default_patience);
  /// To a unix socket.
  explicit raw_client(const std::filesystem::path& socket, std::chrono::milliseconds patience = default_patience);
  ~raw_client();
  raw_client(raw_client&& other) noexcept;
  raw_client& operator=(raw_client&&) = delete;

  /// Sends a command and reads one reply, which may be an error of the server.
  reply run(const arguments& command);

  void send(std::string_view bytes);
  /// The next reply or push.
  reply receive();
  /// Exactly so many bytes.
  std::string receive_bytes(std::size_t count);
  /// Reads until the peer closes, and returns the rest. `reset` tells whether it ended by a reset.
  std::string receive_all(bool* reset = nullptr);
  /// Whether bytes, or the end, are there to read within the time.
  bool readable(std::chrono::milliseconds within);
  /// Closes the sending half.
  void finish();

 private:
  raw_client(int socket, std::chrono::milliseconds patience) noexcept;
  bool fill(bool* reset = nullptr);
  std::string line();

  int socket_;
  std::chrono::milliseconds patience_;
  std::string buffer_;
};

}  // namespace seawall::servers
