#include "core.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

namespace seawall::redis {
namespace {

namespace asio = boost::asio;

error closed_error() { return error{errc::closed, "the Redis client is closed"}; }

using context_executor = asio::io_context::executor_type;
using context_strand = asio::strand<context_executor>;
using other_strand = asio::strand<asio::any_io_executor>;

// The usual executor by its own type: each layer of type erasure allocates.
asio::any_io_executor strand_of(const asio::any_io_executor& which) {
  if (const auto* plain = which.target<context_executor>()) return asio::make_strand(*plain);
  return asio::make_strand(which);
}

bool is_inside(const asio::any_io_executor& which) {
  if (const auto* strand = which.target<context_strand>()) return strand->running_in_this_thread();
  const auto* const strand = which.target<other_strand>();
  return strand && strand->running_in_this_thread();
}

// Whether the calling thread is inside a handler of the context behind an executor, as far as that can be known.
bool runs_on(const asio::any_io_executor& which) {
  if (const auto* plain = which.target<context_executor>()) return plain->running_in_this_thread();
  if (const auto* strand = which.target<context_strand>()) return strand->get_inner_executor().running_in_this_thread();
  const auto* const strand = which.target<other_strand>();
  return strand && runs_on(strand->get_inner_executor());
}

}  // namespace

result<std::shared_ptr<core>> core::make(options how) {
  if (auto valid = validate(how); !valid) return std::unexpected(valid.error());
  auto where = parse_endpoint(how);
  if (!where) return std::unexpected(where.error());
  net::connect_options connecting{.timeout = how.connect_timeout};
  if (where->tls) {
    auto context = net::tls_context::make(how.tls);
    if (!context) return std::unexpected(context.error());
    connecting.tls = std::move(*context);
  }
  return std::shared_ptr<core>{new core(std::move(how), std::move(*where), std::move(connecting)), &core::destroy};
}

core::core(options how, endpoint where, net::connect_options connecting) {
  services_.options = std::move(how);
  services_.endpoint = std::move(where);
  services_.connecting = std::move(connecting);
  services_.clock = services_.options.clock ? services_.options.clock : make_steady_clock();
  if (services_.options.executor) {
    services_.executor = strand_of(services_.options.executor);
  } else {
    loop_ = std::make_unique<net::loop>();
    services_.executor = loop_->executor();
  }
  switch (services_.endpoint.kind) {
    case topology_kind::standalone: router_ = make_standalone_router(*this); break;
    case topology_kind::sentinel: router_ = make_sentinel_router(*this); break;
    case topology_kind::cluster: router_ = make_cluster_router(*this); break;
  }
}

core::~core() = default;

// Handlers that are running, or about to, use what is destroyed here.
void core::destroy(core* which) {
  std::unique_ptr<core> held{which};
  if (held->loop_) return held->loop_->stop();
  const auto executor = held->services_.executor;
  asio::post(executor, [last = std::move(held)] {});
}

// --- any thread -----------------------------------------------------------------------------------------------------

void core::start_clock(request& asked, time_point now) noexcept {
  if (asked.timeout == duration::zero()) asked.timeout = services_.options.command_timeout;
  asked.book.deadline = after(now, asked.timeout);
}

void core::submit(request& asked) {
  asked.next = nullptr;
  submit_all(asked);
}

void core::submit_all(request& first) {
  // The answer may come, and drop the last handle of the client, before this returns.
  const auto self = shared_from_this();
  const then caller = first.caller_waits ? then::waits : first.unhurried ? then::sends : then::goes;
  if (caller == then::waits && must_not_wait()) [[unlikely]] return refuse_to_wait(first);
  const time_point now = services_.clock->coarse_now();
  // The stack of submissions has the newest on top, so a chain goes in backwards.
  request* last = nullptr;
  for (request* one = &first; one;) {
    start_clock(*one, now);
    request* const following = one->next;
    one->next = last;
    last = std::exchange(one, following);
  }
  request* seen = submitted_.load(std::memory_order_relaxed);
  do {
    first.next = seen;
  } while (!submitted_.compare_exchange_weak(seen, last, std::memory_order_acq_rel, std::memory_order_relaxed));
  if (!seen) wake(caller);
}

void core::cancel(request& asked) {
  const auto self = shared_from_this();
  if (asked.book.state.fetch_or(cancel_wanted, std::memory_order_acq_rel) != 0) return;
  request* seen = cancelled_.load(std::memory_order_relaxed);
  do {
    asked.book.cancel_next = seen;
  } while (!cancelled_.compare_exchange_weak(seen, &asked, std::memory_order_acq_rel, std::memory_order_relaxed));
  if (!seen) wake(then::goes);
}

void core::wake(then caller) {
  auto work = [self = shared_from_this()] { self->pump(); };
  if (!loop_) return asio::post(services_.executor, std::move(work));
  asio::post(loop_->executor(), asio::bind_allocator(wake_memory_.allocator(), std::move(work)));
  if (caller == then::goes) loop_->nudge();
  if (caller == then::sends) loop_->run_ready();
}

void core::wait(const std::atomic<bool>& done) {
  if (loop_) return loop_->drive(done);
  done.wait(false, std::memory_order_acquire);
}

void core::hurry() noexcept {
  if (loop_) loop_->nudge();
}

void core::close() {
  const auto self = shared_from_this();
  std::atomic<bool> done{false};
  const auto shut = [self] {
    if (!self->closed_.exchange(true)) {
      for (const auto& weak : std::exchange(self->dependents_, {})) {
        if (const auto one = weak.lock()) one->on_close(closed_error());
      }
      self->router_->close(closed_error());
    }
    self->pump();
  };
  if (!loop_) return asio::post(services_.executor, shut);
  if (loop_->running_in_this_thread()) return asio::post(services_.executor, shut);
  asio::post(services_.executor, [&] {
    shut();
    done.store(true, std::memory_order_release);
    done.notify_all();
  });
  loop_->nudge();
  loop_->drive(done);
}

void core::refresh_topology() {
  asio::post(services_.executor, [self = shared_from_this()] {
    if (!self->closed_) self->router_->refresh();
  });
  if (loop_) loop_->nudge();
}

// The answer would come by this thread, which would wait for it.
void core::refuse_to_wait(request& first) {
  const error why{make_error_code(boost::system::errc::resource_deadlock_would_occur),
                  "a blocking call by a handler that runs on the client's executor would wait for itself, so nothing "
                  "was sent: use the async_ form, or a thread of your own"};
  for (request* one = &first; one;) {
    services_.counters.commands.add();
    services_.counters.failures.add();
    std::exchange(one, one->next)->on_end(&why);
  }
}

bool core::must_not_wait() noexcept { return running_here() || (!loop_ && runs_on(services_.options.executor)); }

bool core::running_here() noexcept {
  return loop_ ? loop_->running_in_this_thread() : is_inside(services_.executor);
}

// --- the executor ---------------------------------------------------------------------------------------------------

void core::attach(const std::shared_ptr<dependent>& one) {
  if (closed_.load(std::memory_order_relaxed)) return one->on_close(closed_error());
  std::erase_if(dependents_, [](const auto& weak) { return weak.expired(); });
  dependents_.push_back(one);
}

void core::pump() {
  if (pumping_) return;
  pumping_ = true;
  while (submitted_.load(std::memory_order_relaxed) || cancelled_.load(std::memory_order_relaxed)) {
    // In this order: a cancellation that is seen here was begun after its request was submitted.
    request* const withdrawn = cancelled_.exchange(nullptr, std::memory_order_acquire);
    take_submissions();
    withdraw(withdrawn);
  }
  services_.flush_dirty();
  pumping_ = false;
}

void core::take_submissions() {
  request* newest = submitted_.exchange(nullptr, std::memory_order_acquire);
  request* oldest = nullptr;
  while (newest) {
    request* const older = newest->next;
    newest->next = oldest;
    oldest = std::exchange(newest, older);
  }
  while (oldest) {
    request& one = *std::exchange(oldest, oldest->next);
    one.next = nullptr;
    if (closed_.load(std::memory_order_relaxed)) {
      const error why = closed_error();
      end(one, &why);
    } else if (one.book.lane) {
      static_cast<lane*>(one.book.lane)->route(one);
    } else if (one.traits.connection_state) {
      const error why{errc::invalid_argument,
                      "this command belongs to a connection's state: use a session or a subscription instead"};
      end(one, &why);
    } else {
      router_->route(one);
    }
  }
}

void core::withdraw(request* one) {
  while (one) {
    request* const following = one->book.cancel_next;
    const auto waits = lingering_.extract(one);
    if (!waits.empty()) {
      one->on_end(waits.mapped() ? &*waits.mapped() : nullptr);
    } else {
      const bool written = static_cast<holder*>(one->book.where)->forget(*one);
      one->book.state.fetch_or(ended, std::memory_order_acq_rel);
      services_.counters.commands.add();
      services_.counters.failures.add();
      const error why{errc::cancelled, written ? "cancelled; it may have been applied" : "cancelled, not sent"};
      one->on_end(&why);
    }
    one = following;
  }
}

void core::end(request& asked, const error* failure) {
  services_.counters.commands.add();
  if (failure) services_.counters.failures.add();
  if (asked.book.state.fetch_or(ended, std::memory_order_acq_rel) & cancel_wanted) {
    lingering_.emplace(&asked, failure ? std::optional<error>{*failure} : std::nullopt);
    return;
  }
  asked.on_end(failure);
}

}  // namespace seawall::redis
