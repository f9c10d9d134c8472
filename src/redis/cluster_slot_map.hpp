// slot_map: which servers hold which slots of a cluster. Performs no I/O.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/net/address.hpp"
#include "seawall/redis/cluster_slot.hpp"
#include "seawall/resp/view.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace seawall::redis {

/// A picture of a cluster that one of its nodes gave, corrected by redirections. Thread safety: as a std::vector.
class slot_map {
 public:
  /// A primary with the replicas that follow it.
  struct shard {
    net::address primary;
    std::vector<net::address> replicas{};
    friend bool operator==(const shard&, const shard&) = default;
  };
  /// In place of the index of a shard: nobody serves the slot.
  static constexpr std::uint16_t nobody = 0xffff;

  /// Of a cluster that serves nothing.
  slot_map() { shard_of_.fill(nobody); }

  /// Reads the reply to CLUSTER SLOTS. A node without a host of its own (null, empty, or "?" without an IP among its
  /// metadata) is reached at the host that answered. Of two ranges with a slot in common the first one counts.
  /// Errors (cmd::errc::unexpected_reply) quote what cannot be.
  static result<slot_map> read(const resp::view& reply, const net::address& answered_by);

  std::uint16_t shard_of(slot_number slot) const noexcept { return shard_of_[slot]; }
  const std::vector<shard>& shards() const noexcept { return shards_; }
  /// The address of the slot's primary; nullptr: nobody serves it.
  const net::address* owner(slot_number slot) const noexcept {
    return shard_of_[slot] == nobody ? nullptr : &shards_[shard_of_[slot]].primary;
  }
  /// How many slots are served.
  std::size_t covered() const noexcept;

  /// A redirection says that `to` is the slot's primary. Returns the shard that had it if that is another one.
  std::optional<std::uint16_t> move(slot_number slot, const net::address& to);

  /// The slots that an owner of this map does not own in `newer`, in ascending order.
  void for_each_lost(const slot_map& newer, const std::function<void(slot_number)>& each) const;

 private:
  std::uint16_t shard_with(const net::address& primary);

  std::array<std::uint16_t, slot_count> shard_of_;
  std::vector<shard> shards_;
};

/// The text of a MOVED or ASK error, "MOVED 3999 127.0.0.1:6381": which slot, and where.
struct redirection {
  slot_number slot;
  net::address to;
};

/// Nothing if the text is none. Without a host ("MOVED 1 :7000") it means that of the node that says so.
std::optional<redirection> read_redirection(std::string_view error_text, const net::address& said_by);

}  // namespace seawall::redis
