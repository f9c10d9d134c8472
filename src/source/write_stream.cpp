#include "write_stream.hpp"

#include "dead_letters.hpp"
#include "write_stream_scripts.hpp"

#include "seawall/base/hash.hpp"
#include "seawall/cmd/hashes.hpp"
#include "seawall/cmd/scripting.hpp"
#include "seawall/cmd/streams.hpp"
#include "seawall/cmd/strings.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <utility>

namespace seawall::source {
namespace {

using entries = std::vector<cmd::stream_entry<std::string>>;

constexpr std::size_t most_sent_at_once = std::size_t{8} << 20;  // bytes, give or take a write

constexpr std::string_view drainers = "drain";  // and the name of its only consumer

const cmd::script& script_of(std::string_view source) {
  static const cmd::script hold{std::string{scripts::hold}};
  static const cmd::script release{std::string{scripts::release}};
  static const cmd::script read{std::string{scripts::read}};
  static const cmd::script settle{std::string{scripts::settle}};
  static const cmd::script gone{std::string{scripts::gone}};
  for (const cmd::script* one : {&hold, &release, &read, &settle}) {
    if (one->source() == source) return *one;
  }
  return gone;
}

std::int64_t in_milliseconds(duration length) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
}

// What the caller of a put is told of a write that failed.
error refusal(const error& why, const std::string& stream) {
  if (why == errc::timed_out || why.code() == make_error_code(cmd::errc::connection_lost)) {
    return {errc::timed_out, fmt::format("'{}' did not answer a write, which may take effect yet: {}", stream,
                                         why.message())};
  }
  return {why.code(), fmt::format("'{}' did not take a write: {}", stream, why.message())};
}

std::vector<std::string> to_texts(std::span<const stream_id> ids) {
  std::vector<std::string> texts;
  texts.reserve(ids.size());
  for (const stream_id& id : ids) texts.push_back(to_text(id));
  return texts;
}

cmd::command<std::string> entry_for(std::string_view stream, const staged_write& write) {
  if (write.removed) return cmd::xadd(stream, {}, "k", write.key);
  return cmd::xadd(stream, {}, "k", write.key, "v", write.value);
}

result<stream_id> id_of(const std::string& text) {
  if (const auto id = to_stream_id(text)) return *id;
  return fail(errc::undecodable, "'" + text + "' is no id of a stream");
}

}  // namespace

redis_handle::redis_handle(const redis::client& client) : client_(std::make_shared<redis::client>(client)) {}

std::string to_text(const stream_id& id) { return fmt::format("{}-{}", id.time, id.number); }

std::optional<stream_id> to_stream_id(std::string_view text) {
  stream_id id;
  const char* const end = text.data() + text.size();
  const auto time = std::from_chars(text.data(), end, id.time);
  if (time.ec != std::errc{} || time.ptr == end || *time.ptr != '-') return {};
  const auto number = std::from_chars(time.ptr + 1, end, id.number);
  if (number.ec != std::errc{} || number.ptr != end) return {};
  return id;
}

std::uint64_t sequence_of(const stream_id& id) noexcept { return (id.time << 20) + id.number; }

write_stream::write_stream(write_redis_options how, bool replicated, std::string owner)
    : how_(std::move(how)), replicated_(replicated), owner_(std::move(owner)), sessions_(how_.partitions) {
  for (unsigned i = 0; i != how_.partitions; ++i) {
    const std::string tag = fmt::format("{{{}:{}}}", how_.stream, i);
    keys_.push_back({tag + ":writes", tag + ":lease", tag + ":fence", tag + ":dead"});
  }
}

unsigned write_stream::partition_of(std::string_view key) const noexcept {
  return static_cast<unsigned>(hash_bytes128(key).low % how_.partitions);
}

std::vector<result<stream_id>> write_stream::append(std::span<const staged_write> writes) {
  std::vector<result<stream_id>> answers(writes.size());
  if (replicated_) {
    std::vector<std::vector<std::size_t>> places(how_.partitions);
    for (std::size_t i = 0; i != writes.size(); ++i) places[partition_of(writes[i].key)].push_back(i);
    for (unsigned partition = 0; partition != how_.partitions; ++partition) {
      std::vector<const staged_write*> some;
      for (const std::size_t i : places[partition]) some.push_back(&writes[i]);
      if (some.empty()) continue;
      auto done = append_replicated(partition, some);
      for (std::size_t i = 0; i != some.size(); ++i) answers[places[partition][i]] = std::move(done[i]);
    }
    return answers;
  }
  std::vector<cmd::command<std::string>> all;
  std::size_t bytes = 0;
  std::size_t sent = 0;
  for (std::size_t i = 0; i != writes.size(); ++i) {
    bytes += writes[i].key.size() + writes[i].value.size();
    all.push_back(entry_for(keys_[partition_of(writes[i].key)].writes, writes[i]));
    if (bytes < most_sent_at_once && i + 1 != writes.size()) continue;
    for (auto& done : how_.client.get().run(all)) {
      answers[sent++] = done ? id_of(*done) : std::unexpected(refusal(done.error(), how_.stream));
    }
    all.clear();
    bytes = 0;
  }
  return answers;
}

std::vector<result<stream_id>> write_stream::append_replicated(unsigned partition,
                                                               std::span<const staged_write* const> writes) {
  const std::string& key = keys_[partition].writes;
  auto& session = sessions_[partition];
  if (!session) session.emplace(how_.client.get().open_session(key));
  std::vector<cmd::command<resp::value>> all;
  all.reserve(writes.size() + 1);
  for (const staged_write* one : writes) all.push_back(entry_for(key, *one).as<resp::value>());
  cmd::builder wait{"WAIT"};
  wait.value(how_.replicas).value(in_milliseconds(how_.replica_timeout)).blocks(how_.replica_timeout);
  all.push_back(wait);
  auto done = session->run(all);

  bool broken = false;
  std::optional<error> unsafe;
  const auto replicas = done.back() ? (*done.back())->integer() : std::nullopt;
  if (!done.back()) {
    unsafe = refusal(done.back().error(), how_.stream);
    broken = true;
  } else if (replicas.value_or(0) < how_.replicas) {
    unsafe = error{errc::timed_out,
                   fmt::format("{} of {} replicas of '{}' have a write, which takes effect if Redis keeps it",
                               replicas.value_or(0), how_.replicas, how_.stream)};
  }
  std::vector<result<stream_id>> answers;
  for (std::size_t i = 0; i != writes.size(); ++i) {
    if (!done[i]) {
      answers.push_back(std::unexpected(refusal(done[i].error(), how_.stream)));
      broken = true;  // a session knows one server, which may not be the right one any more
    } else if (unsafe) {
      answers.push_back(std::unexpected(*unsafe));
    } else {
      answers.push_back(id_of(std::string{(*done[i])->text()}));
    }
  }
  if (broken) session.reset();
  return answers;
}

std::vector<result<stream_lease>> write_stream::hold(std::span<const std::string> mine) const {
  std::vector<cmd::command<std::pair<std::string, bool>>> all;
  for (unsigned i = 0; i != how_.partitions; ++i) {
    const keys& at = keys_[i];
    all.push_back(cmd::eval<std::pair<std::string, bool>>(script_of(scripts::hold),
                                                          cmd::names(at.lease, at.fence, at.writes), mine[i], owner_,
                                                          in_milliseconds(how_.lease), drainers));
  }
  std::vector<result<stream_lease>> answers;
  for (auto& done : how_.client.get().run(all)) {
    if (!done) {
      answers.push_back(std::unexpected(std::move(done).error()));
      continue;
    }
    stream_lease lease{.text = std::move(done->first), .is_new_group = done->second};
    std::from_chars(lease.text.data(), lease.text.data() + lease.text.size(), lease.fence);
    answers.push_back(std::move(lease));
  }
  return answers;
}

bool write_stream::release(unsigned partition, const std::string& lease) const {
  return how_.client.get()
      .run(cmd::eval<std::int64_t>(script_of(scripts::release), keys_[partition].lease, lease))
      .has_value();
}

result<std::optional<std::vector<stream_record>>> write_stream::read(unsigned partition, const stream_lease& lease,
                                                                     std::optional<stream_id> after,
                                                                     std::size_t count) const {
  const keys& at = keys_[partition];
  auto found = how_.client.get().run(
      cmd::eval<std::vector<entries>>(script_of(scripts::read), cmd::names(at.lease, at.writes), lease.text, drainers,
                                      count, after ? to_text(*after) : ">"));
  if (!found) return std::unexpected(std::move(found).error());
  if (found->empty()) return std::nullopt;
  std::vector<stream_record> records;
  for (auto& entry : found->front()) {
    const auto id = id_of(entry.id);
    if (!id) return std::unexpected(id.error());
    stream_record record{.id = *id};
    if (const std::string* key = entry.find("k")) {
      const std::string* value = entry.find("v");
      record.operation = std::make_shared<stored_operation>(stored_operation{.sequence = sequence_of(*id),
                                                                             .removed = value == nullptr,
                                                                             .key = *key,
                                                                             .value = value ? *value : std::string{},
                                                                             .fence = lease.fence});
    }
    records.push_back(std::move(record));
  }
  return records;
}

result<bool> write_stream::settle(unsigned partition, const std::string& lease, std::span<const stream_id> ids) const {
  const keys& at = keys_[partition];
  const auto done = how_.client.get().run(
      cmd::eval<std::int64_t>(script_of(scripts::settle), cmd::names(at.lease, at.writes, at.dead), lease, drainers,
                              "", "", 0, to_texts(ids)));
  if (!done) return std::unexpected(done.error());
  return *done > 0;
}

result<write_stream::burial> write_stream::bury(unsigned partition, const std::string& lease,
                                                std::span<const stream_id> ids, const stored_letter& letter,
                                                std::size_t most) const {
  const keys& at = keys_[partition];
  auto done = how_.client.get().run(cmd::eval<std::int64_t>(
      script_of(scripts::settle), cmd::names(at.lease, at.writes, at.dead), lease, drainers, letter.operation->sequence,
      to_record(letter), most, to_texts(ids)));
  if (!done) return std::unexpected(std::move(done).error());
  if (*done < 0) return burial::lost;
  return *done == 0 ? burial::full : burial::done;
}

result<std::vector<std::size_t>> write_stream::gone(unsigned partition, std::span<const stream_id> ids) const {
  auto places = how_.client.get().run(
      cmd::eval<std::vector<std::size_t>>(script_of(scripts::gone), keys_[partition].writes, to_texts(ids)));
  if (!places) return places;
  for (std::size_t& place : *places) --place;
  return places;
}

result<std::vector<stored_letter>> write_stream::letters() const {
  std::vector<stored_letter> all;
  for (const keys& at : keys_) {
    auto found = how_.client.get().run(cmd::hvals(at.dead));
    if (!found) return std::unexpected(std::move(found).error());
    for (const std::string& record : *found) {
      if (auto letter = letter_of(record)) all.push_back(*std::move(letter));
    }
  }
  return all;
}

result<std::uint64_t> write_stream::count_letters() const {
  std::vector<cmd::command<std::int64_t>> all;
  for (const keys& at : keys_) all.push_back(cmd::hlen(at.dead));
  std::uint64_t sum = 0;
  for (const auto& one : how_.client.get().run(all)) {
    if (!one) return std::unexpected(one.error());
    sum += static_cast<std::uint64_t>(*one);
  }
  return sum;
}

result<std::optional<stored_letter>> write_stream::letter(std::uint64_t sequence) const {
  for (const keys& at : keys_) {
    auto [record, fence] =
        how_.client.get().run(cmd::hget(at.dead, std::to_string(sequence)), cmd::get<std::uint64_t>(at.fence));
    if (!record) return std::unexpected(std::move(record).error());
    if (!*record) continue;
    if (!fence) return std::unexpected(std::move(fence).error());
    auto letter = letter_of(**record);
    if (!letter) return fail(errc::undecodable, fmt::format("the dead letter {} cannot be read", sequence));
    auto operation = std::make_shared<stored_operation>(*letter->operation);
    operation->fence = fence->value_or(0);
    letter->operation = std::move(operation);
    return letter;
  }
  return std::nullopt;
}

result<void> write_stream::discard(std::uint64_t sequence) const {
  for (const keys& at : keys_) {
    if (auto done = how_.client.get().run(cmd::hdel(at.dead, std::to_string(sequence))); !done) {
      return std::unexpected(std::move(done).error());
    }
  }
  return {};
}

}  // namespace seawall::source
