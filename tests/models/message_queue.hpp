// What is on its way between two parties.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace seawall::models {

/// Oldest first; as bytes, equal queues are equal.
template <typename Message, std::size_t Room>
struct message_queue {
  std::array<Message, Room> messages{};
  std::uint8_t size = 0;

  void push(const Message& one) { messages.at(size++) = one; }
  Message pop() {
    const Message oldest = messages[0];
    for (std::size_t i = 1; i != Room; ++i) messages[i - 1] = messages[i];
    messages[Room - 1] = {};
    --size;
    return oldest;
  }
};

}  // namespace seawall::models
