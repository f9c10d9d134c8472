// write_stream: the streams of a write-behind in Redis, and what is done with them. Partition P of "orders" is
//   {orders:P}:writes   the stream: an entry for each write not dealt with yet, fields k and v; without
//                       v the key is removed. Its group "drain" knows which entries somebody was given.
//   {orders:P}:lease    who drains it, "TOKEN:OWNER@RUN_ID" of the server, until it expires
//   {orders:P}:fence    the token of the last lease
//   {orders:P}:dead     what the source refuses: records of dead_letters by sequence
// All keys of a partition are in one slot. What a drainer does is done by scripts that look at the lease first, so a
// drainer that has lost it changes nothing.
// A token is greater than the one before it, and than the server's time in milliseconds when it was given; so it stays
// greater after a FLUSHALL or a failover that lost the last one.
// Thread safety: `append` is of one thread; all others are const and may be called from any thread.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/redis/client.hpp"
#include "seawall/source/write_engine.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::source {

/// Of an entry of a stream.
struct stream_id {
  std::uint64_t time = 0;    ///< milliseconds
  std::uint64_t number = 0;  ///< within them

  friend auto operator<=>(const stream_id&, const stream_id&) = default;
};

std::string to_text(const stream_id& id);
std::optional<stream_id> to_stream_id(std::string_view text);

/// Ascends with the id, unless the server's clock stands still for more than a million writes. Less than 2^63 until the
/// year 2248.
std::uint64_t sequence_of(const stream_id& id) noexcept;

struct staged_write {
  bool removed = false;
  std::string key = {};
  std::string value = {};
};

struct stream_record {
  stream_id id = {};
  operation_ptr operation = nullptr;  ///< null: somebody has deleted it
};

/// What somebody who drains a partition has of it.
struct stream_lease {
  std::string text = {};    ///< as the server has it; empty: another process has it
  std::uint64_t fence = 0;
  bool is_new_group = false;
};

class write_stream {
 public:
  /// `how` is valid. `owner`: of this object alone. Sends nothing.
  write_stream(write_redis_options how, bool replicated, std::string owner);

  unsigned partitions() const noexcept { return how_.partitions; }
  unsigned partition_of(std::string_view key) const noexcept;
  const std::string& writes_key(unsigned partition) const { return keys_[partition].writes; }

  /// One pipeline; in the order of `writes`. Errors: of each write its own; errc::timed_out if it may take effect.
  std::vector<result<stream_id>> append(std::span<const staged_write> writes);

  /// Renews each lease that `mine` has (a text for each partition, perhaps empty), and takes those that nobody has. A
  /// lease that another server process gave is taken anew.
  std::vector<result<stream_lease>> hold(std::span<const std::string> mine) const;
  /// False: the server did not answer.
  bool release(unsigned partition, const std::string& lease) const;

  /// The next entries, at most `count`: behind `after` among those that the group was given, or, without it, those that
  /// it was not. Nothing: the lease is lost.
  result<std::optional<std::vector<stream_record>>> read(unsigned partition, const stream_lease& lease,
                                                         std::optional<stream_id> after, std::size_t count) const;
  /// They are dealt with. False: the lease is lost, and nothing was done.
  result<bool> settle(unsigned partition, const std::string& lease, std::span<const stream_id> ids) const;

  enum class burial { done, full, lost };
  /// The same, and keeps `letter`, unless `most` are kept already.
  result<burial> bury(unsigned partition, const std::string& lease, std::span<const stream_id> ids,
                      const stored_letter& letter, std::size_t most) const;

  /// Which of `ids` the stream has no more: their places.
  result<std::vector<std::size_t>> gone(unsigned partition, std::span<const stream_id> ids) const;

  result<std::vector<stored_letter>> letters() const;
  result<std::uint64_t> count_letters() const;
  /// With the fence of the last lease of its partition in the operation. Nothing: there is none.
  result<std::optional<stored_letter>> letter(std::uint64_t sequence) const;
  result<void> discard(std::uint64_t sequence) const;

 private:
  struct keys {
    std::string writes, lease, fence, dead;
  };

  std::vector<result<stream_id>> append_replicated(unsigned partition, std::span<const staged_write* const> writes);

  write_redis_options how_;
  bool replicated_;
  std::string owner_;
  std::vector<keys> keys_;
  std::vector<std::optional<redis::session>> sessions_;  // by partition: WAIT is about its own connection's writes
};

}  // namespace seawall::source
