// A conversation with a PostgreSQL server that never waits: a machine over libpq which says what it has to wait for.
// postgres_connection.cpp waits on a thread, postgres_async.cpp on Asio.
#pragma once

#include "postgres_settings.hpp"
#include "postgres_values.hpp"

#include <libpq-fe.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::postgres {

/// What the socket must be ready for; `write` is content with either.
enum class wants : std::uint8_t { nothing, read, write };

/// One thing to be done. The views outlive it.
struct request {
  std::string_view statement;
  std::span<const sql::value> given{};
  bool plain = false;           ///< Without preparation: BEGIN, COMMIT, ROLLBACK.
  bool in_transaction = false;  ///< Of a transaction: without its connection it is lost.
  bool writes = false;          ///< If its answer is lost, nobody knows whether it took place.
  bool harmless = false;        ///< May be sent again on another connection: BEGIN.
};

/// Thread safety: none.
class talk {
 public:
  explicit talk(std::shared_ptr<settings> how) : how_(std::move(how)) {}

  /// Begins; `step` until it wants nothing, then `outcome`. Makes the connection first if there is none.
  void start(const request& what);
  /// Does what can be done without waiting.
  wants step();
  /// For what was started: the answer, or why there is none. Once.
  result<sql::rows> outcome() { return *std::exchange(outcome_, std::nullopt); }

  /// The socket to wait for; it may be another after each step.
  int socket() const noexcept { return PQsocket(conn_.get()); }
  /// When the waiting ends, and `give_up` is called.
  time_point deadline() const noexcept { return deadline_; }
  /// Ends what was started, and the connection: after the deadline, or, with `cancelled`, before.
  void give_up(bool cancelled = false);

  /// Between requests: whether there may be something to look for, since the server has notified (LISTEN) after this
  /// was asked last, or the connection has ended.
  bool notified();

  bool connected() const noexcept { return conn_ != nullptr; }
  bool in_transaction() const noexcept { return conn_ && PQtransactionStatus(conn_.get()) != PQTRANS_IDLE; }
  void close() noexcept;

 private:
  enum class phase : std::uint8_t { idle, connecting, setting_up, releasing, preparing, describing, executing };
  struct prepared {
    std::string name;
    std::vector<Oid> types;
    std::uint64_t used = 0;
  };

  void connect();
  wants step_connect();
  wants receive();
  void settle();
  void after_prepare(answer_ptr answer);
  void after_describe(answer_ptr answer);
  void after_execute(answer_ptr answer);
  void after_loss(const PGresult* last);
  void send();
  void send_prepare();
  void execute(const prepared& which);
  void sent(int done, phase next);
  void finish(result<sql::rows> outcome);
  void fail(error why) { finish(std::unexpected(std::move(why))); }
  bool stale();
  void release_oldest();
  void take(PGresult* one);
  void allow(duration span);

  const std::shared_ptr<settings> how_;
  conn_ptr conn_;
  std::map<std::string, prepared, std::less<>> statements_;
  std::vector<std::string> released_;  // names that the server still has
  std::uint64_t uses_ = 0;
  std::uint64_t names_ = 0;

  request request_{};
  std::optional<result<sql::rows>> outcome_;
  phase phase_ = phase::idle;
  wants connect_wants_ = wants::nothing;
  answer_ptr answer_;       // of the phase: the first error, else the last answer
  std::string name_;        // of the statement in preparation
  bool unanswered_ = false; // COPY: what follows is no answer
  unsigned connects_ = 0;   // for this request
  bool again_ = false;      // it was prepared anew for this request
  time_point deadline_ = never;
};

}  // namespace seawall::postgres
