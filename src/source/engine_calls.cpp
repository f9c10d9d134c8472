#include "engine_calls.hpp"

#include <exception>
#include <utility>

namespace seawall::source {

result<void> engine_calls::write(std::span<const operation_ptr> batch) {
  const std::lock_guard one{writing_};
  try {
    return hooks_.write(batch);
  } catch (const std::exception& thrown) {
    return std::unexpected(error{errc::loader_failed, std::string{"the writer threw: "} + thrown.what(),
                                 std::current_exception()});
  } catch (...) {
    return std::unexpected(error{errc::loader_failed, "the writer threw something that is no std::exception",
                                 std::current_exception()});
  }
}

void engine_calls::tell(std::span<const operation_ptr> operations) const {
  if (!hooks_.settled || operations.empty()) return;
  try {
    hooks_.settled(operations);
  } catch (const std::exception& thrown) {
    say(log_level::error, std::string{"the cache threw when it was told of writes: "} + thrown.what());
  } catch (...) {
    say(log_level::error, "the cache threw when it was told of writes");
  }
}

bool engine_calls::is_refusal(const error& failure) const {
  if (failure == errc::undecodable) return true;
  try {
    return hooks_.is_permanent && hooks_.is_permanent(failure);
  } catch (const std::exception& thrown) {
    say(log_level::error, std::string{"is_permanent threw, which counts as no: "} + thrown.what());
  } catch (...) {
    say(log_level::error, "is_permanent threw, which counts as no");
  }
  return false;
}

void engine_calls::say(log_level level, const std::string& text) const {
  if (!on_log_) return;
  try {
    on_log_(level, "write-behind '" + name_ + "': " + text);
  } catch (...) {  // there is nobody else to be told
  }
}

counter_set counters_of(const std::string& name, const write_behind_stats& read) {
  return {.prefix = "seawall_write_behind_",
          .label = "write_behind",
          .label_value = name,
          .counters = {{"accepted", "Writes that were acknowledged.", read.accepted},
                       {"refused", "Writes that got an error.", read.refused},
                       {"coalesced", "Operations that a later one of the key has replaced.", read.coalesced},
                       {"applied", "Operations that the source has taken.", read.applied},
                       {"batches", "Batches that succeeded.", read.batches},
                       {"failed_batches", "Batches that failed.", read.failed_batches},
                       {"buried", "Operations that became dead letters.", read.buried},
                       {"commits", "Groups of writes that went to the log.", read.commits},
                       {"syncs", "Syncs of the log.", read.syncs},
                       {"failed_syncs", "Syncs of the log that failed.", read.failed_syncs},
                       {"failed_checkpoints", "Checkpoints that could not be written.", read.failed_checkpoints},
                       {"take_overs", "Leases of partitions that were taken.", read.take_overs},
                       {"lost_leases", "Leases that ended before they were given back.", read.lost_leases}},
          .gauges = {{"backlog", "Operations that wait, or are being applied.", read.backlog},
                     {"lag_milliseconds", "The age of the oldest of them.",
                      static_cast<std::uint64_t>(read.lag / std::chrono::milliseconds{1})},
                     {"backlog_bytes", "Of their keys and values.", read.backlog_bytes},
                     {"log_bytes", "Bytes of the local log.", read.log_bytes},
                     {"drained_partitions", "Partitions whose leases this process holds.", read.drained_partitions}}};
}

}  // namespace seawall::source
