#include "seawall/cmd/pending.hpp"

namespace seawall::cmd::detail {

void pending::prepare(const any_command& what, const target& where) {
  what_ = &what;
  bytes = what.encoded().bytes();
  traits = what.about();
  timeout = what.server_wait() == duration::zero() ? what.timeout() : what.timeout_with(where.default_timeout());
  if (!what.valid()) set_failure(what.invalid());
}

void pending::use_source() {
  with_source_ = std::make_unique<resp::command_bytes>(what_->with_source());
  bytes = with_source_->bytes();
  wants_source_ = false;
  renew();
  gate.reopen();
}

bool pending::is_missing_script(resp::view reply) const noexcept {
  return !with_source_ && classify(reply.text()) == errc::no_script;
}

bool batch::submit(target& where, std::span<pending* const> all) {
  return submit_those(where, all, [](pending& one) { return one.what().valid(); });
}

bool batch::submit_sources(target& where, std::span<pending* const> all) {
  return submit_those(where, all, [](pending& one) {
    if (!one.wants_source()) return false;
    one.use_source();
    return true;
  });
}

template <class Wanted>
bool batch::submit_those(target& where, std::span<pending* const> all, Wanted wanted) {
  request* first = nullptr;
  request** tail = &first;
  std::size_t count = 0;
  for (pending* one : all) {
    if (!wanted(*one)) continue;
    ++count;
    *tail = one;
    tail = &one->next;
  }
  if (count == 0) return false;
  left_.store(count, std::memory_order_relaxed);
  if (count == 1) where.submit(*first);
  else where.submit_all(*first);
  return true;
}

bool batch::cancel(target& where, std::span<pending* const> all) {
  // Held for the length of the loop, so that no end of a member ends the batch meanwhile.
  if (left_.fetch_add(1, std::memory_order_acq_rel) == 0) {
    left_.store(0, std::memory_order_relaxed);
    return false;
  }
  std::size_t seen = 1;
  for (pending* one : all) {
    if (!one->what().valid() || !one->gate.begin_cancel()) continue;
    where.cancel(*one);
    if (one->gate.end_cancel()) ++seen;
  }
  return left_.fetch_sub(seen, std::memory_order_acq_rel) == seen;
}

}  // namespace seawall::cmd::detail
