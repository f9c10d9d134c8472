#include "seawall/cmd/hashes.hpp"

namespace seawall::cmd {

command<std::vector<std::string>> hkeys(std::string_view key) { return builder{"HKEYS"}.key(key); }
command<bool> hexists(std::string_view key, std::string_view field) { return builder{"HEXISTS"}.key(key).text(field); }
command<std::int64_t> hlen(std::string_view key) { return builder{"HLEN"}.key(key); }
command<std::int64_t> hstrlen(std::string_view key, std::string_view field) {
  return builder{"HSTRLEN"}.key(key).text(field);
}
command<std::int64_t> hincr_by(std::string_view key, std::string_view field, std::int64_t by) {
  return builder{"HINCRBY"}.key(key).text(field).number(by);
}
command<double> hincr_by_float(std::string_view key, std::string_view field, double by) {
  return builder{"HINCRBYFLOAT"}.key(key).text(field).real(by);
}
command<std::optional<std::string>> hrandfield(std::string_view key) { return builder{"HRANDFIELD"}.key(key); }
command<std::vector<std::string>> hrandfield(std::string_view key, std::int64_t count) {
  return builder{"HRANDFIELD"}.key(key).number(count);
}

result<field_change> reply_reader<field_change>::read(resp::view reply) {
  const auto number = reply.integer();
  if (number && *number >= -2 && *number <= 2) return static_cast<field_change>(*number);
  return detail::unexpected_reply("an integer from -2 to 2", reply);
}

namespace detail {

builder hexpire_builder(std::string_view key, duration ttl, expire_when when) {
  static constexpr timed_names names{"HEXPIRE", "HPEXPIRE"};
  return expire_builder(names, key, ttl, when);
}

builder hexpire_at_builder(std::string_view key, server_time at, expire_when when) {
  static constexpr command_name name{"HPEXPIREAT"};
  return expire_at_builder(name, key, at, when);
}

builder hgetex_builder(std::string_view key, const getex_options& how) {
  builder made{"HGETEX"};
  made.key(key);
  append_getex_options(made, how);
  return made;
}

builder hsetex_builder(std::string_view key, const hset_options& how) {
  builder made{"HSETEX"};
  made.key(key).flag(how.when == set_when::absent, "FNX").flag(how.when == set_when::present, "FXX");
  made.effect_if(how.when != set_when::always, effect::write_once);
  append_lifetime(made, how);
  return made;
}

}  // namespace detail
}  // namespace seawall::cmd
