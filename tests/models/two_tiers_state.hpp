// The state of two_tiers.hpp: one process with its connection, the server, and another process.
#pragma once

#include <array>
#include <cstdint>

#include "message_queue.hpp"

namespace seawall::models::tiers {

enum class kind : std::uint8_t { nothing, value, lease };
struct entry {
  kind what = kind::nothing;
  std::uint8_t version = 0;
  std::uint8_t nonce = 0;  ///< Of the lease; of the fill: the same.
};

enum class verb : std::uint8_t { none, read, lease, fill, read_header, unlink, push };
struct command {
  verb what = verb::none;
  std::uint8_t who = 0;
};
struct message {
  verb what = verb::none;  ///< That it answers, or a push.
  std::uint8_t who = 0;
  entry found{};  ///< For a fill: a value if it was accepted.
};

enum class step_of_reader : std::uint8_t { idle, asks, reads, leases, loads, fills, keeps, answers, done };
struct reader {
  step_of_reader at = step_of_reader::idle;
  std::uint8_t floor = 0;
  std::uint8_t value = 0;
  std::uint8_t nonce = 0;
  bool accepted = false;
  bool changed = false;  ///< The key was told of or dropped since the tracked read was sent.
};
enum class step_of_writer : std::uint8_t { idle, drops, sends, waits, drops_again, returns, done };
struct writer {
  step_of_writer at = step_of_writer::idle;
  std::uint8_t version = 0;
};
enum class step_of_other : std::uint8_t { idle, loads, stores };
struct other {
  step_of_other at = step_of_other::idle;
  std::uint8_t version = 0;
  std::uint8_t nonce = 0;
};

struct state {
  std::uint8_t committed = 1;
  std::uint8_t local = 0;  ///< The version in the local tier; 0: none.
  std::uint8_t floor = 0;  ///< What the process wrote or read.
  std::uint8_t next_nonce = 1;
  bool tracked = false;
  std::uint8_t unlinks = 0;  ///< Sent on the connection beside, and not executed.
  std::uint8_t others_writes = 0;
  std::uint8_t others_reads = 0;
  std::uint8_t evictions = 0;
  std::uint8_t lease_expiries = 0;
  std::uint8_t drops = 0;
  std::uint8_t give_ups = 0;
  entry shared{};
  other others_writer{};
  other others_reader{};
  writer own_writer{};
  std::array<reader, 2> readers{};
  message_queue<command, 6> commands{};
  message_queue<message, 8> replies{};
};

}  // namespace seawall::models::tiers
