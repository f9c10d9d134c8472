// What a capture asks and sets up on its server by ordinary statements: tables, publication, slot, snapshots.
#pragma once

#include "capture_collector.hpp"
#include "capture_visibility.hpp"
#include "postgres_connection.hpp"
#include "seawall/source/change_capture.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace seawall::postgres {

/// Thread safety: none.
class capture_server {
 public:
  enum class slot_state : std::uint8_t { none, good, lost };
  struct slot_view {
    slot_state state = slot_state::none;
    pgoutput::lsn confirmed = 0;
  };
  struct moment {
    snapshot seen;
    pgoutput::lsn end = 0;  ///< Of the server's log.
  };

  capture_server(std::shared_ptr<settings> how, const capture_options& options)
      : how_(std::move(how)), options_(options), on_(how_) {}

  /// Whether changes of these tables will be sent, as their mappings need them. True if tables were added to the
  /// publication, or it was created: what changed before is not in any stream.
  result<bool> check(const captured_tables& tables);

  result<slot_view> slot();
  /// sql::errc::locked: another has it.
  result<void> drop_slot();
  /// A slot that ends with the connection, and begins now. The slot of the capture is made from it after all caches
  /// were cleared, so that whoever finds it knows that they were.
  result<void> make_temporary();
  result<void> keep_temporary();
  void disconnect() { on_.machine().close(); }

  result<moment> look();

 private:
  result<void> check_settings();
  result<void> check_table(const std::string& name, const captured_table& table);
  result<bool> check_publication();
  result<bool> check_published(const std::string& name);
  template <class... Args>
  result<sql::rows> ask(std::string_view statement, const Args&... given);

  const std::shared_ptr<settings> how_;
  const capture_options& options_;
  postgres_connection on_;
};

}  // namespace seawall::postgres
