#include "seawall/source/write_behind_options.hpp"

#include "local_log_files.hpp"

#include "seawall/source/write_engine.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

namespace seawall::source {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t least_segment = 4096;

struct complaint {
  std::string_view field;
  std::string_view limit;
};

std::optional<complaint> wrong_redis(const engine_options& how) {
  const write_redis_options& redis = how.redis;
  if (how.acknowledged != acknowledged::redis && how.acknowledged != acknowledged::redis_replicated) {
    if (redis.client.is_given()) return complaint{"redis.client", "left out unless acknowledged is redis"};
    return {};
  }
  if (!redis.client.is_given()) return complaint{"redis.client", "given when acknowledged is redis"};
  const bool braces = redis.stream.find_first_of("{}") != std::string::npos;
  if (redis.stream.empty() || redis.stream.size() > max_log_name || braces) {
    return complaint{"redis.stream", "1 to 200 bytes long, without braces"};
  }
  if (redis.partitions == 0 || redis.partitions > 1024) return complaint{"redis.partitions", "1 to 1024"};
  if (redis.replicas == 0 || redis.replicas > 100) return complaint{"redis.replicas", "1 to 100"};
  if (redis.replica_timeout < 1ms || redis.replica_timeout > 1h) {
    return complaint{"redis.replica_timeout", "1 ms to 1 h"};
  }
  if (redis.lease < 100ms || redis.lease > 1h) return complaint{"redis.lease", "100 ms to 1 h"};
  if (redis.poll < 1ms || redis.poll > redis.lease) return complaint{"redis.poll", "1 ms or more, at most redis.lease"};
  return {};
}

}  // namespace

result<void> validate(const engine_options& how) {
  const auto wrong = [&](std::string_view field, std::string_view limit) -> result<void> {
    return fail(errc::invalid_argument, fmt::format("write-behind '{}': {} must be {}", how.name, field, limit));
  };
  if (how.name.empty() || how.name.size() > max_log_name) return wrong("name", "1 to 200 bytes long");
  if (const auto bad = wrong_redis(how)) return wrong(bad->field, bad->limit);
  if (how.acknowledged == acknowledged::local_log) {
    if (how.log.directory.empty()) return wrong("log.directory", "given when acknowledged is local_log");
    if (how.log.segment_bytes < least_segment) return wrong("log.segment_bytes", "4096 or more");
    if (how.log.sync_every < 1ms) return wrong("log.sync_every", "1 ms or more");
  } else if (!how.log.directory.empty()) {
    return wrong("log.directory", "empty when acknowledged is not local_log: nothing would be written there");
  }
  if (how.batch.most == 0) return wrong("batch.most", "1 or more");
  if (how.batch.most_bytes == 0) return wrong("batch.most_bytes", "1 or more");
  if (how.batch.linger < duration::zero()) return wrong("batch.linger", "0 or more");
  if (how.retry.first < 1ms || how.retry.longest < how.retry.first) {
    return wrong("retry.first", "1 ms or more, and at most retry.longest");
  }
  if (how.retry.attempts == 0) return wrong("retry.attempts", "1 or more");
  if (how.most_backlog == 0) return wrong("most_backlog", "1 or more");
  if (how.most_backlog_bytes == 0) return wrong("most_backlog_bytes", "1 or more");
  if (how.most_operation_bytes == 0 || how.most_operation_bytes > max_record_part) {
    return wrong("most_operation_bytes", "1 byte to 1 GiB");
  }
  return {};
}

}  // namespace seawall::source
