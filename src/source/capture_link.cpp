#include "capture_link.hpp"

#include "postgres_values.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace seawall::postgres {
namespace {

int milliseconds(duration span) {
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(span).count();
  return static_cast<int>(std::clamp<std::int64_t>(count, 0, 3'600'000));
}

time_point in(duration span) { return after(std::chrono::steady_clock::now(), span); }

}  // namespace

wake_up::wake_up() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

wake_up::~wake_up() {
  if (fd_ >= 0) ::close(fd_);
}

void wake_up::raise() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto done = ::write(fd_, &one, sizeof one);
}

void wake_up::lower() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto done = ::read(fd_, &count, sizeof count);
}

void wait_for_either(int socket, const wake_up& wake, duration most) {
  std::array<pollfd, 2> both{{{.fd = socket, .events = POLLIN, .revents = 0},
                              {.fd = wake.descriptor(), .events = POLLIN, .revents = 0}}};
  ::poll(both.data(), both.size(), milliseconds(most));
}

void replication_link::close() noexcept {
  buffer_.reset();
  conn_.reset();
}

error replication_link::lost() const {
  return lost_problem(sql::errc::unreachable, PQerrorMessage(conn_.get()), {}, how_->where);
}

result<void> replication_link::wait_for(bool to_write, time_point deadline, std::string_view what) {
  std::array<pollfd, 2> both{{{.fd = PQsocket(conn_.get()), .events = POLLIN, .revents = 0},
                              {.fd = wake_.descriptor(), .events = POLLIN, .revents = 0}}};
  if (to_write) both[0].events = POLLOUT;
  const auto left = deadline - std::chrono::steady_clock::now();
  const int ready = left > duration::zero() ? ::poll(both.data(), both.size(), milliseconds(left)) : 0;
  if (both[1].revents != 0) return seawall::fail(seawall::errc::cancelled);
  if (ready != 0) return {};
  return seawall::fail(seawall::errc::timed_out, fmt::format("{}: {}", how_->where, what));
}

result<void> replication_link::open(std::string_view slot, std::string_view publication) {
  close();
  auto opened = connect();
  if (opened) {
    opened = begin(fmt::format("START_REPLICATION SLOT \"{}\" LOGICAL 0/0 (proto_version '1', publication_names "
                               "'\"{}\"')", slot, publication));
  }
  if (!opened) close();
  return opened;
}

result<void> replication_link::connect() {
  conn_ = begin_connect(*how_, true);
  if (!conn_) return std::unexpected(connect_problem("out of memory", how_->where));
  const time_point deadline = in(how_->how.connect_timeout);
  for (auto next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK; next = PQconnectPoll(conn_.get())) {
    if (next == PGRES_POLLING_FAILED || PQstatus(conn_.get()) == CONNECTION_BAD) {
      const std::string_view said = PQerrorMessage(conn_.get());
      auto why = connect_problem(said, how_->where);
      if (said.find("replication") == std::string_view::npos) return std::unexpected(std::move(why));
      return sql::fail(sql::errc::failed, why.message() + "; ALTER ROLE ... REPLICATION gives the right, "
                                                          "max_wal_senders is how many connections there may be");
    }
    auto ready = wait_for(next == PGRES_POLLING_WRITING, deadline, "no connection within connect_timeout");
    if (!ready) return ready;
  }
  PQsetnonblocking(conn_.get(), 1);
  return {};
}

result<void> replication_link::begin(const std::string& statement) {
  if (PQsendQuery(conn_.get(), statement.c_str()) == 0) return std::unexpected(lost());
  const time_point deadline = in(how_->how.statement_timeout);
  while (PQflush(conn_.get()) == 1 || PQisBusy(conn_.get()) != 0) {
    auto ready = wait_for(false, deadline, "the stream does not begin within statement_timeout");
    if (!ready) return ready;
    if (PQconsumeInput(conn_.get()) == 0) return std::unexpected(lost());
  }
  const answer_ptr answer{PQgetResult(conn_.get())};
  if (PQresultStatus(answer.get()) == PGRES_COPY_BOTH) return {};
  if (!answer || PQstatus(conn_.get()) != CONNECTION_OK) return std::unexpected(lost());
  return std::unexpected(problem_of(answer.get(), statement, how_->where));
}

result<std::optional<std::string_view>> replication_link::next() {
  bool consumed = false;
  while (true) {
    char* raw = nullptr;
    const int size = PQgetCopyData(conn_.get(), &raw, 1);
    buffer_.reset(raw);
    if (size > 0) return std::string_view{raw, static_cast<std::size_t>(size)};
    if (size == 0 && std::exchange(consumed, true)) return std::nullopt;
    if (size == 0) {
      if (PQconsumeInput(conn_.get()) == 0) return std::unexpected(lost());
      continue;
    }
    // The stream has ended: what follows says why.
    const answer_ptr answer{PQgetResult(conn_.get())};
    if (answer && PQresultStatus(answer.get()) == PGRES_FATAL_ERROR) {
      return std::unexpected(problem_of(answer.get(), "START_REPLICATION", how_->where));
    }
    return std::unexpected(lost());
  }
}

result<bool> replication_link::send(std::string_view bytes) {
  const int queued = PQputCopyData(conn_.get(), bytes.data(), static_cast<int>(bytes.size()));
  if (queued < 0 || PQflush(conn_.get()) < 0) return std::unexpected(lost());
  return queued != 0;
}

void replication_link::wait(duration most) {
  wait_for_either(conn_ ? PQsocket(conn_.get()) : -1, wake_, most);
}

}  // namespace seawall::postgres
