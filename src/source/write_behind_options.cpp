#include "seawall/source/write_behind_options.hpp"

#include "local_log_files.hpp"

#include "seawall/source/write_engine.hpp"

#include <fmt/format.h>

namespace seawall::source {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t least_segment = 4096;

}  // namespace

result<void> validate(const engine_options& how) {
  const auto wrong = [&](std::string_view field, std::string_view limit) -> result<void> {
    return fail(errc::invalid_argument, fmt::format("write-behind '{}': {} must be {}", how.name, field, limit));
  };
  if (how.name.empty() || how.name.size() > max_log_name) return wrong("name", "1 to 200 bytes long");
  if (how.acknowledged == acknowledged::local_log) {
    if (how.log.directory.empty()) return wrong("log.directory", "given when acknowledged is local_log");
    if (how.log.segment_bytes < least_segment) return wrong("log.segment_bytes", "4096 or more");
    if (how.log.sync_every < 1ms) return wrong("log.sync_every", "1 ms or more");
  } else if (!how.log.directory.empty()) {
    return wrong("log.directory", "empty when acknowledged is memory: nothing would be written there");
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
