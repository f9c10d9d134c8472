#include "seawall/cmd/run.hpp"

namespace seawall::cmd::detail {
namespace {

// The waiter may be gone before notify_all is through: it needs the address only.
void signal(std::atomic<bool>& done) {
  done.store(true, std::memory_order_release);
  done.notify_all();
}

}  // namespace

void blocking_batch::run(target& where, std::span<pending* const> all) {
  for (pending* one : all) one->caller_waits = true;
  if (submit(where, all)) where.wait(done_);
  done_.store(false, std::memory_order_relaxed);
  if (submit_sources(where, all)) where.wait(done_);
}

void blocking_batch::all_ended() { signal(done_); }

void blocking_transaction::run(target& where) {
  caller_waits = true;
  where.submit(*this);
  where.wait(done_);
}

void blocking_transaction::on_end(const error* failure) noexcept {
  if (failure != nullptr) set_failure(*failure);
  signal(done_);
}

}  // namespace seawall::cmd::detail
