#include "seawall/cmd/strings.hpp"

namespace seawall::cmd {
namespace detail {
namespace {

constexpr const char* one_lifetime = "at most one of ex, expire_at and keep_ttl (or persist)";

bool at_most_one(bool a, bool b, bool c) { return int{a} + int{b} + int{c} <= 1; }

}  // namespace

builder set_builder(std::string_view key) {
  builder made{"SET"};
  made.key(key);
  return made;
}

void append_set_options(builder& made, const set_options& how) {
  made.flag(how.when == set_when::absent, "NX").flag(how.when == set_when::present, "XX");
  made.effect_if(how.when != set_when::always, effect::write_once);
  append_lifetime(made, how);
}

void append_lifetime(builder& made, const set_options& how) {
  append_ttl(made, how.ex);
  append_expire_at(made, how.expire_at);
  made.flag(how.keep_ttl, "KEEPTTL");
  made.check(at_most_one(how.ex.has_value(), how.expire_at.has_value(), how.keep_ttl), one_lifetime);
}

void append_getex_options(builder& made, const getex_options& how) {
  append_ttl(made, how.ex);
  append_expire_at(made, how.expire_at);
  made.flag(how.persist, "PERSIST");
  made.check(at_most_one(how.ex.has_value(), how.expire_at.has_value(), how.persist), one_lifetime);
}

builder getex_builder(std::string_view key, const getex_options& how) {
  builder made{"GETEX"};
  made.key(key);
  append_getex_options(made, how);
  return made;
}

result<bool> read_applied(resp::view reply) {
  if (reply.is_null()) return false;
  if (const auto yes = reply.boolean()) return *yes;
  const result<ok> done = decode<ok>(reply);
  if (!done) return std::unexpected(done.error());
  return true;
}

}  // namespace detail

command<std::int64_t> incr(std::string_view key) { return builder{"INCR"}.key(key); }
command<std::int64_t> decr(std::string_view key) { return builder{"DECR"}.key(key); }
command<std::int64_t> incr_by(std::string_view key, std::int64_t by) { return builder{"INCRBY"}.key(key).number(by); }
command<std::int64_t> decr_by(std::string_view key, std::int64_t by) { return builder{"DECRBY"}.key(key).number(by); }
command<double> incr_by_float(std::string_view key, double by) { return builder{"INCRBYFLOAT"}.key(key).real(by); }

command<std::int64_t> append(std::string_view key, std::string_view text) {
  return builder{"APPEND"}.key(key).text(text);
}
command<std::int64_t> strlen(std::string_view key) { return builder{"STRLEN"}.key(key); }

command<std::string> getrange(std::string_view key, std::int64_t first, std::int64_t last) {
  return builder{"GETRANGE"}.key(key).number(first).number(last);
}
command<std::int64_t> setrange(std::string_view key, std::int64_t offset, std::string_view text) {
  return builder{"SETRANGE"}.key(key).number(offset).text(text).check(offset >= 0, "the offset must not be negative");
}

command<std::string> lcs(std::string_view a, std::string_view b) { return builder{"LCS"}.key(a).key(b); }
command<std::int64_t> lcs_length(std::string_view a, std::string_view b) {
  return builder{"LCS"}.key(a).key(b).text("LEN");
}

command<std::optional<std::string>> digest(std::string_view key) { return builder{"DIGEST"}.key(key); }

}  // namespace seawall::cmd
