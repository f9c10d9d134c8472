#include "seawall/cmd/streams.hpp"

#include "field_reader.hpp"

namespace seawall::cmd {
namespace {

std::int64_t in_milliseconds(duration length) {
  return std::chrono::ceil<std::chrono::milliseconds>(length).count();
}

/// COUNT, BLOCK and the streams with their ids, keys first.
void append_reads(builder& made, std::span<const stream_position> streams, const xread_options& how) {
  detail::append_positive(made, how.count);
  made.does_not_block();
  if (how.block) made.text("BLOCK").wait_milliseconds(*how.block);
  made.flag(how.no_ack, "NOACK").text("STREAMS").key_positions(made.size(), streams.size());
  for (const stream_position& one : streams) made.key(one.key);
  for (const stream_position& one : streams) made.text(one.after);
  made.check(!streams.empty(), "no stream was given");
}

}  // namespace

namespace detail {

builder& append_positive(builder& made, std::optional<std::int64_t> count) {
  if (!count) return made;
  return made.text("COUNT").number(*count).check(*count > 0, "the count must be positive");
}

builder& append_trim(builder& made, const stream_trim& how) {
  made.check(!how.max_length || !how.min_id, "max_length and min_id exclude each other");
  made.check(!how.limit || !how.exact, "limit and exact exclude each other");
  if (!how.max_length && !how.min_id) return made;
  made.text(how.max_length ? "MAXLEN" : "MINID").text(how.exact ? "=" : "~");
  if (how.max_length) made.number(*how.max_length).check(*how.max_length >= 0, "max_length must not be negative");
  else made.text(*how.min_id);
  return made.option("LIMIT", how.limit, "the limit must not be negative");
}

builder& append_xadd(builder& made, const xadd_options& how, bool create) {
  return append_trim(made.flag(!create, "NOMKSTREAM"), how.trim).text(how.id);
}

builder xread_builder(std::span<const stream_position> streams, const xread_options& how) {
  builder made{"XREAD"};
  made.check(!how.no_ack, "no_ack needs a group");
  append_reads(made, streams, how);
  return made;
}

builder xreadgroup_builder(std::string_view group, std::string_view consumer, std::span<const stream_position> streams,
                           const xread_options& how) {
  builder made{"XREADGROUP"};
  made.text("GROUP").text(group).text(consumer);
  append_reads(made, streams, how);
  return made;
}

builder xclaim_builder(std::string_view key, std::string_view group, std::string_view consumer, duration min_idle) {
  builder made{"XCLAIM"};
  made.key(key).text(group).text(consumer).number(in_milliseconds(min_idle));
  made.check(min_idle >= duration::zero(), "min_idle must not be negative");
  return made;
}

builder xautoclaim_builder(std::string_view key, std::string_view group, std::string_view consumer, duration min_idle,
                           std::string_view start, std::optional<std::int64_t> count) {
  builder made{"XAUTOCLAIM"};
  made.key(key).text(group).text(consumer).number(in_milliseconds(min_idle)).text(start);
  append_positive(made, count).check(min_idle >= duration::zero(), "min_idle must not be negative");
  return made;
}

}  // namespace detail

command<std::int64_t> xlen(std::string_view key) { return builder{"XLEN"}.key(key); }

command<std::int64_t> xtrim(std::string_view key, const stream_trim& how) {
  builder made{"XTRIM"};
  return detail::append_trim(made.key(key), how).check(how.max_length || how.min_id, "max_length or min_id is needed");
}

command<ok> xgroup_create(std::string_view key, std::string_view group, const group_options& how) {
  builder made{"XGROUP CREATE"};
  return made.key(key).text(group).text(how.after).flag(how.make_stream, "MKSTREAM");
}
command<ok> xgroup_set_id(std::string_view key, std::string_view group, std::string_view after) {
  return builder{"XGROUP SETID"}.key(key).text(group).text(after);
}
command<bool> xgroup_destroy(std::string_view key, std::string_view group) {
  return builder{"XGROUP DESTROY"}.key(key).text(group);
}
command<bool> xgroup_create_consumer(std::string_view key, std::string_view group, std::string_view consumer) {
  return builder{"XGROUP CREATECONSUMER"}.key(key).text(group).text(consumer);
}
command<std::int64_t> xgroup_delete_consumer(std::string_view key, std::string_view group, std::string_view consumer) {
  return builder{"XGROUP DELCONSUMER"}.key(key).text(group).text(consumer);
}

command<pending_summary> xpending(std::string_view key, std::string_view group) {
  return builder{"XPENDING"}.key(key).text(group);
}

command<std::vector<pending_entry>> xpending_entries(std::string_view key, std::string_view group,
                                                     const xpending_options& how) {
  builder made{"XPENDING"};
  made.key(key).text(group);
  if (how.min_idle) made.text("IDLE").number(in_milliseconds(*how.min_idle));
  made.text(how.first).text(how.last).number(how.count);
  made.check(how.count > 0, "the count must be positive");
  made.check(how.min_idle.value_or(duration::zero()) >= duration::zero(), "min_idle must not be negative");
  if (how.consumer) made.text(*how.consumer);
  return made;
}

command<stream_info> xinfo_stream(std::string_view key) { return builder{"XINFO STREAM"}.key(key); }
command<std::vector<group_info>> xinfo_groups(std::string_view key) { return builder{"XINFO GROUPS"}.key(key); }
command<std::vector<consumer_info>> xinfo_consumers(std::string_view key, std::string_view group) {
  return builder{"XINFO CONSUMERS"}.key(key).text(group);
}

result<pending_summary> reply_reader<pending_summary>::read(resp::view reply) {
  using parts_type = std::tuple<std::int64_t, std::optional<std::string>, std::optional<std::string>,
                                std::vector<std::pair<std::string, std::int64_t>>>;
  auto parts = decode<parts_type>(reply);
  if (!parts) return std::unexpected(std::move(parts.error()));
  auto& [count, first, last, consumers] = *parts;
  return pending_summary{count, std::move(first), std::move(last), std::move(consumers)};
}

result<pending_entry> reply_reader<pending_entry>::read(resp::view reply) {
  auto parts = decode<std::tuple<std::string, std::string, std::int64_t, std::int64_t>>(reply);
  if (!parts) return std::unexpected(std::move(parts.error()));
  auto& [id, consumer, idle, deliveries] = *parts;
  return pending_entry{std::move(id), std::move(consumer), std::chrono::milliseconds{idle}, deliveries};
}

result<stream_info> reply_reader<stream_info>::read(resp::view reply) {
  stream_info made;
  field_reader fields{reply};
  fields.get("length", made.length).get("groups", made.groups).get("last-generated-id", made.last_generated_id);
  fields.get("entries-added", made.entries_added);
  fields.get("first-entry", made.first_entry).get("last-entry", made.last_entry);
  return fields.done(std::move(made));
}

result<group_info> reply_reader<group_info>::read(resp::view reply) {
  group_info made;
  field_reader fields{reply};
  fields.get("name", made.name).get("consumers", made.consumers).get("pending", made.pending);
  fields.get("last-delivered-id", made.last_delivered_id).get("entries-read", made.entries_read).get("lag", made.lag);
  return fields.done(std::move(made));
}

result<consumer_info> reply_reader<consumer_info>::read(resp::view reply) {
  consumer_info made;
  std::int64_t idle = 0;
  field_reader fields{reply};
  fields.get("name", made.name).get("pending", made.pending).get("idle", idle);
  made.idle = std::chrono::milliseconds{idle};
  return fields.done(std::move(made));
}

}  // namespace seawall::cmd
