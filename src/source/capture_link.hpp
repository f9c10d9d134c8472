// A replication connection: libpq in its CopyBoth, which never waits longer than it is told.
#pragma once

#include "postgres_settings.hpp"
#include "seawall/base/clock.hpp"

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace seawall::postgres {

/// A descriptor that ends waiting.
class wake_up {
 public:
  wake_up();
  wake_up(const wake_up&) = delete;
  wake_up& operator=(const wake_up&) = delete;
  ~wake_up();
  int descriptor() const noexcept { return fd_; }
  void raise() noexcept;
  void lower() noexcept;

 private:
  int fd_;
};

/// Until there is something to read at the socket, if it is one, or it is woken; `most` at most.
void wait_for_either(int socket, const wake_up& wake, duration most);

/// Thread safety: none.
class replication_link {
 public:
  replication_link(std::shared_ptr<settings> how, const wake_up& wake) : how_(std::move(how)), wake_(wake) {}

  /// Connects, and begins to read where the slot is. sql::errc::locked: another has the slot.
  /// seawall::errc::cancelled: it was woken.
  result<void> open(std::string_view slot, std::string_view publication);
  void close() noexcept;
  bool is_open() const noexcept { return conn_ != nullptr; }

  /// The next frame, if one is there; it lives until the next call.
  result<std::optional<std::string_view>> next();
  /// Queues what is to be sent. False if there is no room for it.
  result<bool> send(std::string_view bytes);
  /// Until there is something to read, or it is woken, `most` at most.
  void wait(duration most);

 private:
  struct freer {
    void operator()(char* what) const noexcept { PQfreemem(what); }
  };

  result<void> connect();
  result<void> begin(const std::string& statement);
  result<void> wait_for(bool to_write, time_point deadline, std::string_view what);
  error lost() const;

  const std::shared_ptr<settings> how_;
  const wake_up& wake_;
  conn_ptr conn_;
  std::unique_ptr<char, freer> buffer_;
};

}  // namespace seawall::postgres
