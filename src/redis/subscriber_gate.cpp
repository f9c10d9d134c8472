#include "subscriber_gate.hpp"

#include <fmt/format.h>

#include <exception>
#include <string>

namespace seawall::redis {

template <class Call>
void subscriber_gate::guarded(const Call& call) {
  handlers dead;
  std::string thrown;
  {
    const std::lock_guard lock{mutex_};
    if (shut_.load(std::memory_order_relaxed)) return;
    inside_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    try {
      call();
    } catch (const std::exception& what) {
      thrown = fmt::format("the handler of a subscription threw an exception: {}", what.what());
    } catch (...) {
      thrown = "the handler of a subscription threw an exception";
    }
    inside_.store({}, std::memory_order_relaxed);
    if (shut_.load(std::memory_order_relaxed)) dead = std::exchange(handlers_, {});
  }
  if (!thrown.empty() && log_) log_(log_level::error, thrown);
}

void subscriber_gate::hand_out(const message& what) {
  guarded([&] { handlers_.on_message(what); });
}

void subscriber_gate::tell(const gap& missed) {
  guarded([&] {
    if (handlers_.on_gap) handlers_.on_gap(missed);
  });
}

void subscriber_gate::shut() {
  shut_.store(true, std::memory_order_relaxed);
  // Only this thread can have put its own id there.
  if (inside_.load(std::memory_order_relaxed) == std::this_thread::get_id()) return;
  handlers dead;
  const std::lock_guard lock{mutex_};
  dead = std::exchange(handlers_, {});
}

}  // namespace seawall::redis
