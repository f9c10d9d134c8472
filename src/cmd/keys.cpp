#include "seawall/cmd/keys.hpp"

namespace seawall::cmd {

command<bool> expire(std::string_view key, duration ttl, expire_when when) {
  static constexpr detail::timed_names names{"EXPIRE", "PEXPIRE"};
  return detail::expire_builder(names, key, ttl, when);
}

command<bool> expire_at(std::string_view key, server_time at, expire_when when) {
  static constexpr command_name name{"PEXPIREAT"};
  return detail::expire_at_builder(name, key, at, when);
}

command<bool> persist(std::string_view key) { return builder{"PERSIST"}.key(key); }
command<lifetime<duration>> ttl(std::string_view key) { return builder{"PTTL"}.key(key); }
command<lifetime<server_time>> expire_time(std::string_view key) { return builder{"PEXPIRETIME"}.key(key); }

command<std::string> type(std::string_view key) { return builder{"TYPE"}.key(key); }
command<ok> rename(std::string_view from, std::string_view to) { return builder{"RENAME"}.key(from).key(to); }
command<bool> rename_if_absent(std::string_view from, std::string_view to) {
  return builder{"RENAMENX"}.key(from).key(to);
}

command<bool> copy(std::string_view from, std::string_view to, const copy_options& how) {
  builder made{"COPY"};
  made.key(from).key(to).option("DB", how.database, "the database must not be negative");
  return made.flag(how.replace, "REPLACE").effect_if(how.replace, effect::write_last);
}

command<std::optional<std::string>> dump(std::string_view key) { return builder{"DUMP"}.key(key); }

command<ok> restore(std::string_view key, std::string_view dumped, const restore_options& how) {
  const duration ttl = how.ex.value_or(duration::zero());
  builder made{"RESTORE"};
  made.key(key).number(std::chrono::ceil<std::chrono::milliseconds>(ttl).count()).text(dumped);
  made.flag(how.replace, "REPLACE").effect_if(how.replace, effect::write_last);
  return made.check(!how.ex || ttl > duration::zero(), "the time to live must be positive");
}

command<std::optional<std::string>> random_key() { return builder{"RANDOMKEY"}; }

command<std::optional<std::string>> object_encoding(std::string_view key) {
  return builder{"OBJECT ENCODING"}.key(key);
}
command<std::optional<std::int64_t>> object_refcount(std::string_view key) {
  return builder{"OBJECT REFCOUNT"}.key(key);
}
command<std::optional<std::int64_t>> object_idle_seconds(std::string_view key) {
  return builder{"OBJECT IDLETIME"}.key(key);
}
command<std::optional<std::int64_t>> object_frequency(std::string_view key) { return builder{"OBJECT FREQ"}.key(key); }

command<std::optional<std::int64_t>> memory_usage(std::string_view key, std::optional<std::int64_t> samples) {
  return builder{"MEMORY USAGE"}.key(key).option("SAMPLES", samples, "the number of samples must not be negative");
}

namespace detail {

builder sort_builder(const command_name& name, std::string_view key, const sort_options& how) {
  builder made{name};
  made.key(key);
  if (how.by) made.text("BY").text(*how.by);
  if (how.count || how.offset != 0) made.text("LIMIT").number(how.offset).number(how.count.value_or(-1));
  made.check(how.offset >= 0 && how.count.value_or(0) >= 0, "offset and count must not be negative");
  made.flag(how.descending, "DESC").flag(how.alphabetically, "ALPHA");
  return made;
}

}  // namespace detail

command<std::int64_t> sort_store(std::string_view to, std::string_view key, const sort_options& how) {
  return detail::sort_builder("SORT", key, how).text("STORE").key(to).effect_if(to != key, effect::write_last);
}

}  // namespace seawall::cmd
