// wait_until: waits for what another process or thread does.
#pragma once

#include <poll.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

namespace seawall::servers {

/// Lets a few milliseconds pass: for loops that ask another process whether it is ready.
inline void pause_between_tries(std::chrono::milliseconds length = std::chrono::milliseconds{5}) {
  ::poll(nullptr, 0, static_cast<int>(length.count()));
}

/// Asks `done()` every few milliseconds until it answers true. Throws std::runtime_error with `what` after `most`,
/// which bounds a broken test only: a healthy one never comes near.
template <class Condition>
void wait_until(std::string_view what, Condition&& done, std::chrono::milliseconds most = std::chrono::seconds{30}) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("waited in vain: " + std::string{what});
    pause_between_tries();
  }
}

}  // namespace seawall::servers
