// Client-side caching (CLIENT TRACKING): what the server says about keys that changed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::redis {

/// What a server is asked to tell.
enum class tracking_mode : std::uint8_t {
  reads,        ///< Changes of keys that were read over the connection, each once: CLIENT TRACKING ON.
  broadcast,    ///< Changes of all keys with certain beginnings (CLIENT TRACKING ON BCAST), a little later: an answer
                ///< may come before the news of a change that the server made before it.
  connections,  ///< Nothing, and CLIENT TRACKING is not sent: the listener hears of connections only.
};

/// Why everything that was read over a connection may be outdated.
enum class tracking_loss {
  disconnected,   ///< The connection ended: what its server would have said is lost.
  flushed,        ///< The server sent a null invalidation: its table or its data set was flushed.
  slot_moved,     ///< A slot changed its owner; its old owner need not say so.
};

/// Hears of invalidations in the order of the wire: an invalidation that the server sent before a reply is told before
/// that reply's `on_reply`, one sent after it afterwards. All calls come from the thread that runs the client's I/O (at
/// times a caller's that blocks alone), one at a time, and must return soon.
///
/// With tracking_mode::reads a value may be cached, inside `request::on_reply`, if `request::generation` is one that
/// `on_tracking` has announced, and dropped with the first invalidation of its key or loss of that generation that
/// comes later.
class tracking_listener {
 public:
  virtual ~tracking_listener() = default;

  /// For tracking_mode::broadcast, before each new connection: how the keys begin whose changes are to be told; none:
  /// all keys. No one may begin as another does, or the server refuses them.
  virtual std::vector<std::string> prefixes() { return {}; }
  /// The server has acknowledged CLIENT TRACKING on a new connection (tracking_mode::connections: it is ready);
  /// generations of one client never repeat.
  virtual void on_tracking(std::uint64_t generation) = 0;
  /// These keys changed.
  virtual void on_invalidate(std::uint64_t generation, std::string_view key) = 0;
  /// Nothing that was read over `generation` is certain. `slot` matters for slot_moved only.
  virtual void on_loss(std::uint64_t generation, tracking_loss why, std::uint16_t slot) = 0;
  /// The server answered a PING that was written `sent` ago: everything it did before the PING has been told.
  virtual void on_alive(std::uint64_t /*generation*/) {}
};

}  // namespace seawall::redis
