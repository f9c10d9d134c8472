// The blocking driver: runs the load machines on the caller's thread.
#pragma once

#include "seawall/cache/bulk_op.hpp"
#include "seawall/cache/load_op.hpp"

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

namespace seawall::detail {

/// A thread that waits; a wake-up that comes before the wait is not lost.
class blocking_waiter final : public waiter {
 public:
  void wake() noexcept override {
    signals_.fetch_add(1, std::memory_order_release);
    signals_.notify_one();
  }

  /// Returns after at least one wake() since the last return.
  void wait() noexcept {
    unsigned now = signals_.load(std::memory_order_acquire);
    while (now == seen_) {
      signals_.wait(seen_, std::memory_order_acquire);
      now = signals_.load(std::memory_order_acquire);
    }
    seen_ = now;
  }

 private:
  std::atomic<unsigned> signals_{0};
  unsigned seen_ = 0;  // of the waiting thread alone
};

template <class Op, class Run>
auto drive_blocking(Op& op, blocking_waiter& waiter, step next, Run&& run_loader) {
  while (next != step::done) {
    if (next == step::run_loader) {
      next = run_loader();
      continue;
    }
    if constexpr (requires { op.await_tier(); }) {
      if (next == step::ask) op.await_tier();
      else waiter.wait();
    } else {
      waiter.wait();
    }
    next = op.woken();
  }
  return op.take();
}

/// get_or_load on this thread, from a look that found nothing fresh. `loader` is not called when `how` has a bound one.
template <class Core, class K, class V, class Loader>
result<value_ptr<V>> load_blocking(const std::shared_ptr<Core>& core, K key, std::size_t hash, lookup<V> found,
                                   typename load_op<Core>::settings how, Loader& loader) {
  const auto self = std::make_shared<blocking_waiter>();
  // A loader that asks for another key on a pool thread must not wait for a second thread of the pool: they might all
  // be waiting alike.
  if (current_load() != nullptr) how.inline_loader = true;
  how.blocks = true;
  load_op<Core> op{core, std::move(key), hash, self, how};
  const step first = op.start(std::move(found));
  // The scope ends with the loader: what the machine does with the answer may open a load of the same key again.
  const auto run = [&] {
    const load_mark marked = op.mark(share_current_load());
    const running_load_scope scope{marked.load().get()};
    return op.bound() ? (*op.bound())(op.key(), op.context()) : call_loader<V>(loader, op.key(), op.context());
  };
  return drive_blocking(op, *self, first, [&] { return op.loaded(run()); });
}

/// get_many on this thread.
template <class Core, class Loader>
auto load_many_blocking(const std::shared_ptr<Core>& core, std::vector<bulk_request<Core>> wanted,
                        const typename load_op<Core>::settings& how, Loader& loader) {
  const auto self = std::make_shared<blocking_waiter>();
  bulk_op<Core> op{core, std::move(wanted), self, how};
  const step first = op.start();
  const auto run = [&] {
    const auto chain = op.marks();
    const running_load_scope scope{chain.back().load().get()};
    return call_bulk_loader<typename Core::value_type>(loader, op.batch());
  };
  return drive_blocking(op, *self, first, [&] { return op.loaded(run()); });
}

/// The loader of calls that have none of their own.
struct no_loader {
  template <class K>
  error operator()(const K&) const {
    return error{errc::invalid_argument, "get_or_load was called without a loader, and the cache's options have none"};
  }
};

}  // namespace seawall::detail
