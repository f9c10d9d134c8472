#include "postgres_talk.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <utility>

namespace seawall::postgres {
namespace {

bool readable(int socket) {
  pollfd one{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, 0) > 0;
}

// How much longer than the server's own limit.
duration grace(duration limit) {
  return std::clamp<duration>(limit / 4, std::chrono::milliseconds{50}, std::chrono::seconds{1});
}

bool succeeded(const PGresult* answer) {
  const auto status = PQresultStatus(answer);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

}  // namespace

void talk::allow(duration span) { deadline_ = after(std::chrono::steady_clock::now(), span); }

void talk::close() noexcept {
  conn_.reset();
  statements_.clear();
  released_.clear();
  answer_.reset();
  phase_ = phase::idle;
}

void talk::finish(result<sql::rows> outcome) {
  phase_ = phase::idle;
  answer_.reset();
  outcome_ = std::move(outcome);
}

void talk::give_up(bool cancelled) {
  if (phase_ == phase::idle) return;
  const bool connecting = phase_ == phase::connecting;
  const bool unknown = phase_ == phase::executing && request_.writes;
  close();
  if (cancelled) return fail({seawall::errc::cancelled});
  if (connecting) {
    auto why = connect_problem("no connection within connect_timeout", how_->where);
    how_->away.began(why);
    return fail(std::move(why));
  }
  auto why = lost_problem(unknown ? sql::errc::outcome_unknown : sql::errc::unreachable,
                          "no answer within statement_timeout, the connection is closed", request_.statement,
                          how_->where);
  fail(unknown ? std::move(why) : error{seawall::errc::timed_out, why.message()});
}

void talk::start(const request& what) {
  request_ = what;
  outcome_.reset();
  connects_ = 0;
  again_ = false;
  if (conn_ && stale()) close();
  if (conn_) return send();
  if (!what.in_transaction) return connect();
  fail(lost_problem(sql::errc::unreachable, "the connection was lost, and with it the transaction", what.statement,
                    how_->where));
}

// Between statements the server says nothing, but that it ends, and some notices. Its end comes behind its last words.
bool talk::stale() {
  for (int i = 0; i != 4 && readable(socket()); ++i) {
    if (PQconsumeInput(conn_.get()) == 0) return true;
  }
  return PQstatus(conn_.get()) != CONNECTION_OK;
}

bool talk::notified() {
  if (!conn_ || PQconsumeInput(conn_.get()) == 0) return true;
  bool any = false;
  while (PGnotify* one = PQnotifies(conn_.get())) {
    PQfreemem(one);
    any = true;
  }
  return any;
}

// ---- connecting ----

void talk::connect() {
  if (auto why = how_->away.why_not()) return fail(*std::move(why));
  ++connects_;
  conn_ = begin_connect(*how_);
  if (!conn_) return fail(connect_problem("out of memory", how_->where));
  phase_ = phase::connecting;
  connect_wants_ = wants::write;  // as the manual of PQconnectPoll has it
  allow(how_->how.connect_timeout);
}

wants talk::step_connect() {
  if (PQstatus(conn_.get()) != CONNECTION_BAD) {
    if (connect_wants_ != wants::nothing) {
      pollfd one{.fd = socket(), .events = POLLIN, .revents = 0};
      if (connect_wants_ == wants::write) one.events = POLLOUT;
      if (::poll(&one, 1, 0) <= 0) return connect_wants_;
    }
    switch (PQconnectPoll(conn_.get())) {
      case PGRES_POLLING_READING: return connect_wants_ = wants::read;
      case PGRES_POLLING_WRITING: return connect_wants_ = wants::write;
      case PGRES_POLLING_OK:
        PQsetnonblocking(conn_.get(), 1);
        sent(PQsendQuery(conn_.get(),
                         fmt::format("SET statement_timeout = {}",
                                     std::chrono::ceil<std::chrono::milliseconds>(how_->how.statement_timeout).count())
                             .c_str()),
             phase::setting_up);
        return wants::nothing;
      default: break;
    }
  }
  auto why = connect_problem(PQerrorMessage(conn_.get()), how_->where);
  close();
  how_->away.began(why);
  fail(std::move(why));
  return wants::nothing;
}

// ---- asking ----

void talk::sent(int done, phase next) {
  phase_ = next;
  unanswered_ = false;
  answer_.reset();
  if (done == 0) after_loss(nullptr);
}

void talk::send() {
  allow(how_->how.statement_timeout + grace(how_->how.statement_timeout));
  if (request_.plain) {
    return sent(PQsendQuery(conn_.get(), std::string{request_.statement}.c_str()), phase::executing);
  }
  if (const auto known = statements_.find(request_.statement); known != statements_.end()) {
    known->second.used = ++uses_;
    return execute(known->second);
  }
  // Not within a transaction: a name that is not there would end it.
  if (!released_.empty() && !in_transaction()) {
    std::string all;
    for (const auto& name : released_) all += fmt::format("DEALLOCATE {};", name);
    released_.clear();
    return sent(PQsendQuery(conn_.get(), all.c_str()), phase::releasing);
  }
  send_prepare();
}

void talk::send_prepare() {
  name_ = fmt::format("seawall_{}", ++names_);
  sent(PQsendPrepare(conn_.get(), name_.c_str(), std::string{request_.statement}.c_str(), 0, nullptr),
       phase::preparing);
}

void talk::execute(const prepared& which) {
  auto given = parameters::make(request_.given, which.types, request_.statement);
  if (!given) return fail(std::move(given).error());
  sent(PQsendQueryPrepared(conn_.get(), which.name.c_str(), given->count(), given->values(), given->lengths(),
                           given->formats(), 0),
       phase::executing);
}

// ---- being answered ----

wants talk::step() {
  while (phase_ != phase::idle) {
    const wants next = phase_ == phase::connecting ? step_connect() : receive();
    if (next != wants::nothing) return next;
  }
  return wants::nothing;
}

void talk::take(PGresult* one) {
  answer_ptr owner{one};
  const auto status = PQresultStatus(one);
  unanswered_ |= status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
  if (!answer_ || succeeded(answer_.get())) answer_ = std::move(owner);
}

wants talk::receive() {
  const int left = PQflush(conn_.get());
  const bool alive = PQconsumeInput(conn_.get()) != 0;
  // A connection that has ended is not busy with anything: its last words come, then nothing.
  while (!alive || PQisBusy(conn_.get()) == 0) {
    PGresult* one = PQgetResult(conn_.get());
    if (one == nullptr) {
      settle();
      return wants::nothing;
    }
    take(one);
    if (unanswered_) {
      close();
      fail(lost_problem(sql::errc::failed, "COPY is not for here: use psql or libpq", request_.statement, how_->where));
      return wants::nothing;
    }
  }
  return left == 1 ? wants::write : wants::read;
}

void talk::settle() {
  answer_ptr answer = std::move(answer_);
  if (!answer || PQstatus(conn_.get()) != CONNECTION_OK) return after_loss(answer.get());
  switch (phase_) {
    case phase::setting_up:
      how_->away.ended();
      how_->made.fetch_add(1, std::memory_order_relaxed);
      return send();
    case phase::releasing: return send_prepare();
    case phase::preparing: return after_prepare(std::move(answer));
    case phase::describing: return after_describe(std::move(answer));
    default: return after_execute(std::move(answer));
  }
}

void talk::after_prepare(answer_ptr answer) {
  if (!succeeded(answer.get())) return fail(problem_of(answer.get(), request_.statement, how_->where));
  how_->prepared.fetch_add(1, std::memory_order_relaxed);
  sent(PQsendDescribePrepared(conn_.get(), name_.c_str()), phase::describing);
}

void talk::after_describe(answer_ptr answer) {
  if (!succeeded(answer.get())) {
    released_.push_back(name_);
    return fail(problem_of(answer.get(), request_.statement, how_->where));
  }
  prepared made{.name = name_, .types = {}, .used = ++uses_};
  for (int i = 0; i != PQnparams(answer.get()); ++i) made.types.push_back(PQparamtype(answer.get(), i));
  if (statements_.size() >= how_->how.cached_statements) release_oldest();
  const auto place = statements_.insert_or_assign(std::string{request_.statement}, std::move(made)).first;
  execute(place->second);
}

void talk::release_oldest() {
  const auto oldest = std::ranges::min_element(statements_, {}, [](const auto& one) { return one.second.used; });
  released_.push_back(std::move(oldest->second.name));
  statements_.erase(oldest);
}

void talk::after_execute(answer_ptr answer) {
  // A COMMIT of a transaction that a failure has ended succeeds, as a ROLLBACK.
  if (request_.plain && request_.writes && std::string_view{PQcmdStatus(answer.get())} == "ROLLBACK") {
    return fail({sql::errc::failed, fmt::format("{}: nothing was committed, since an earlier statement of the "
                                                "transaction has failed: use savepoints for what may fail",
                                                how_->where)});
  }
  if (succeeded(answer.get())) return finish(rows_of(answer.get(), request_.statement, how_->how.max_rows));
  if (PQresultStatus(answer.get()) == PGRES_EMPTY_QUERY) {
    return fail({sql::errc::argument, fmt::format("there is no statement in \"{}\"", request_.statement)});
  }
  if (!request_.plain && prepared_in_vain(answer.get())) {
    if (const auto old = statements_.find(request_.statement); old != statements_.end()) {
      released_.push_back(std::move(old->second.name));
      statements_.erase(old);
    }
    // A transaction has ended with it.
    if (!in_transaction() && !std::exchange(again_, true)) return send();
  }
  fail(problem_of(answer.get(), request_.statement, how_->where));
}

// Whatever was sent before the statement itself has changed nothing, so that it may be tried on another connection.
void talk::after_loss(const PGresult* last) {
  const bool repeat = !request_.in_transaction && connects_ == 0 && (phase_ != phase::executing || request_.harmless);
  const bool unknown = phase_ == phase::executing && request_.writes;
  const std::string said = last ? PQresultErrorMessage(last) : PQerrorMessage(conn_.get());
  const bool made = phase_ != phase::setting_up;
  close();
  if (repeat) return connect();
  auto why = lost_problem(unknown ? sql::errc::outcome_unknown : sql::errc::unreachable, said, request_.statement,
                          how_->where);
  if (!made) how_->away.began(why);
  fail(std::move(why));
}

}  // namespace seawall::postgres
