// The asynchronous driver of a conversation: what postgres_connection.cpp does on a thread.
#include "seawall/source/postgres_async.hpp"

#include "postgres_database.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace seawall::postgres {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// One statement, from its place in the line to its answer. All of it runs on its strand, but for what only posts there.
class operation : public std::enable_shared_from_this<operation> {
 public:
  operation(detail::order what, std::shared_ptr<pool> from, std::shared_ptr<settings> how)
      : what_(std::move(what)),
        pool_(std::move(from)),
        how_(std::move(how)),
        strand_(asio::make_strand(what_.executor)),
        timer_(strand_),
        socket_(strand_) {
    ticket_.how = what_.how;
  }
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;
  // Also when its context is destroyed under it.
  ~operation() {
    if (in_line_ && !pool_->leave(ticket_)) connection_ = ticket_.got;
    forget_socket();
    if (connection_ == nullptr) return;
    connection_->machine().close();
    pool_->give_back(*connection_, what_.how);
  }

  void begin() {
    if (what_.slot.is_connected()) {
      what_.slot.assign([self = weak_from_this()](asio::cancellation_type) {
        if (auto alive = self.lock()) asio::post(alive->strand_, [alive] { alive->cancel(); });
      });
    }
    asio::post(strand_, [self = shared_from_this()] { self->enter(); });
  }

 private:
  void enter() {
    if (ended_) return;
    if (const auto& problem = what_.given.problem()) {
      return end(sql::fail(sql::errc::argument, problem->message() + " (\"" + sql::shortened(what_.statement) + "\")"));
    }
    ticket_.ready = [self = weak_from_this()] {
      auto alive = self.lock();
      if (!alive) return;
      const auto strand = alive->strand_;
      asio::post(strand, [held = std::move(alive)] { held->leave_line(); });
    };
    auto got = pool_->enter(ticket_);
    if (!got) return end(std::unexpected(std::move(got).error()));
    if (*got != nullptr) return run(*got);
    in_line_ = true;
    timer_.expires_after(std::min<duration>(how_->how.pool_timeout, std::chrono::hours{24}));
    timer_.async_wait([self = shared_from_this()](error_code failed) {
      if (failed || !self->in_line_ || !self->pool_->leave(self->ticket_)) return;
      self->in_line_ = false;
      self->end(std::unexpected(self->pool_->late(self->what_.how)));
    });
  }

  void leave_line() {
    if (!std::exchange(in_line_, false)) return;
    timer_.cancel();
    run(ticket_.got);
  }

  void run(postgres_connection* on) {
    connection_ = on;
    on->machine().start({.statement = what_.statement, .given = what_.given.values(),
                         .writes = what_.how == sql::access::write});
    go();
  }

  void go() {
    talk& machine = connection_->machine();
    const wants next = machine.step();
    if (next == wants::nothing) return end(machine.outcome());
    wait(next);
  }

  // A copy of libpq's descriptor: libpq closes its own whenever it likes.
  void wait(wants next) {
    forget_socket();
    const int copy = ::dup(connection_->machine().socket());
    error_code failed;
    if (copy >= 0) socket_.assign(copy, failed);
    if (copy < 0 || failed) {
      if (copy >= 0) ::close(copy);
      connection_->machine().close();
      return end(sql::fail(sql::errc::unreachable, how_->where + ": no descriptor is left to wait with"));
    }
    const std::uint64_t turn = ++turn_;
    const auto ready = [self = shared_from_this(), turn](error_code) { self->woken(turn, false); };
    socket_.async_wait(asio::posix::stream_descriptor::wait_read, ready);
    if (next == wants::write) socket_.async_wait(asio::posix::stream_descriptor::wait_write, ready);
    timer_.expires_at(std::chrono::time_point_cast<asio::steady_timer::duration>(connection_->machine().deadline()));
    timer_.async_wait([self = shared_from_this(), turn](error_code late) { self->woken(turn, !late); });
  }

  // The first of what was waited for; the others are of a turn that is over.
  void woken(std::uint64_t turn, bool late) {
    if (turn != turn_ || ended_) return;
    ++turn_;
    timer_.cancel();
    if (late) connection_->machine().give_up();
    go();
  }

  void cancel() {
    if (ended_) return;
    ++turn_;
    timer_.cancel();
    if (in_line_) {
      in_line_ = false;
      if (!pool_->leave(ticket_)) connection_ = ticket_.got;
    } else if (connection_ != nullptr) {
      connection_->machine().give_up(true);
    }
    end(seawall::fail(seawall::errc::cancelled));
  }

  void end(result<sql::rows> outcome) {
    ended_ = true;
    forget_socket();
    settle();
    asio::post(what_.executor,
               [slot = what_.slot, done = std::move(what_.done), answer = std::move(outcome)]() mutable {
                 if (slot.is_connected()) slot.clear();
                 done(std::move(answer));
               });
  }

  // A BEGIN that was run as a statement is not waited for: its connection ends.
  void settle() {
    if (connection_ == nullptr) return;
    talk& machine = connection_->machine();
    if (machine.connected() && machine.in_transaction()) machine.close();
    pool_->give_back(*std::exchange(connection_, nullptr), what_.how);
  }

  // Released, not closed by Asio: epoll would keep what a copy of the descriptor still refers to.
  void forget_socket() {
    if (socket_.is_open()) ::close(socket_.release());
  }

  detail::order what_;
  const std::shared_ptr<pool> pool_;
  const std::shared_ptr<settings> how_;
  const asio::strand<asio::any_io_executor> strand_;
  asio::steady_timer timer_;
  asio::posix::stream_descriptor socket_;
  ticket ticket_;
  postgres_connection* connection_ = nullptr;
  std::uint64_t turn_ = 0;
  bool in_line_ = false;
  bool ended_ = false;
};

}  // namespace

void postgres_database::start(detail::order&& what) {
  if (!only_reads(what.statement)) what.how = sql::access::write;
  std::make_shared<operation>(std::move(what), pool_, how_)->begin();
}

}  // namespace seawall::postgres
