#include "postgres_settings.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace seawall::postgres {
namespace {

constexpr duration first_pause = std::chrono::milliseconds{50};
constexpr duration longest_pause = std::chrono::seconds{2};

std::unexpected<error> refuse(std::string_view field, std::string_view what) {
  return seawall::fail(seawall::errc::invalid_argument, fmt::format("postgres::options: {} {}", field, what));
}

result<void> validate(const options& how) {
  constexpr duration least = std::chrono::milliseconds{1};
  constexpr duration most = std::chrono::hours{24 * 7};  // the server counts milliseconds in 31 bits
  if (how.writers < 1 || how.writers > 1'000) return refuse("writers", "must be 1 to 1,000");
  if (how.readers < 1 || how.readers > 1'000) return refuse("readers", "must be 1 to 1,000");
  if (how.cached_statements < 1 || how.cached_statements > 10'000) {
    return refuse("cached_statements", "must be 1 to 10,000");
  }
  if (how.max_rows < 1) return refuse("max_rows", "must be 1 or more");
  if (how.pool_timeout < duration::zero()) return refuse("pool_timeout", "must be 0 or more");
  if (how.connect_timeout < least) return refuse("connect_timeout", "must be 1 ms or more");
  if (how.statement_timeout < least || how.statement_timeout > most) {
    return refuse("statement_timeout", "must be 1 ms to 7 days");
  }
  return {};
}

struct parsed {
  parsed() = default;
  parsed(const parsed&) = delete;
  parsed& operator=(const parsed&) = delete;
  ~parsed() {
    PQconninfoFree(options);
    PQfreemem(message);
  }
  std::string_view value(std::string_view keyword) const {
    for (const auto* one = options; one->keyword != nullptr; ++one) {
      if (keyword == one->keyword && one->val != nullptr) return one->val;
    }
    return {};
  }
  PQconninfoOption* options = nullptr;
  char* message = nullptr;
};

std::string where_of(const parsed& from) {
  std::string_view host = from.value("host");
  if (host.empty()) host = from.value("hostaddr");
  std::string_view port = from.value("port");
  std::string_view name = from.value("dbname");
  if (name.empty()) name = from.value("user");
  return fmt::format("database {} at {}{}{}", name.empty() ? "(default)" : name, host.empty() ? "(default)" : host,
                     port.empty() ? "" : ":", port);
}

}  // namespace

std::optional<error> outage::why_not() const {
  const std::lock_guard lock{mutex_};
  if (!why_ || std::chrono::steady_clock::now() >= until_) return std::nullopt;
  return why_;
}

void outage::began(const error& why) {
  const std::lock_guard lock{mutex_};
  pause_ = why_ ? std::min(2 * pause_, longest_pause) : first_pause;
  until_ = std::chrono::steady_clock::now() + pause_;
  why_ = why;
}

void outage::ended() {
  const std::lock_guard lock{mutex_};
  why_.reset();
}

result<std::shared_ptr<settings>> settings_of(const options& how, std::string_view of_servers) {
  if (auto valid = validate(how); !valid) return std::unexpected(std::move(valid).error());
  parsed from;
  from.options = PQconninfoParse(how.url.c_str(), &from.message);
  if (from.options == nullptr) {
    // What libpq quotes may be a part of the password.
    const std::string said = sql::one_line(from.message ? from.message : "out of memory");
    return refuse("url", fmt::format("cannot be read: {} (not shown: it may hold a password; special characters in one "
                                     "are written %40 for @, %3A for :, %2F for /)", said.substr(0, said.find('"'))));
  }
  if (from.value("host").find('@') != std::string_view::npos) {
    return refuse("url", "has a second '@': in user and password it is written %40");
  }
  auto made = std::make_shared<settings>();
  made->how = how;
  made->where = where_of(from);
  const auto add = [&](std::string_view keyword, std::string_view value) {
    made->keywords.emplace_back(keyword);
    made->values.emplace_back(value);
  };
  for (const auto* one = from.options; one->keyword != nullptr; ++one) {
    const std::string_view keyword = one->keyword;
    if (one->val != nullptr && keyword != "client_encoding") add(keyword, one->val);
  }
  add("client_encoding", "UTF8");
  if (from.value("application_name").empty()) add("application_name", how.application_name);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): programs do not set variables meanwhile
  const char* const named = std::getenv("PGTARGETSESSIONATTRS");
  if (from.value("target_session_attrs").empty() && named == nullptr) add("target_session_attrs", of_servers);
  return made;
}

conn_ptr begin_connect(const settings& how, bool replicates) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& one : how.keywords) keywords.push_back(one.c_str());
  for (const auto& one : how.values) values.push_back(one.c_str());
  if (replicates) {
    keywords.push_back("replication");
    values.push_back("database");
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  conn_ptr made{PQconnectStartParams(keywords.data(), values.data(), 0)};
  if (made) PQsetNoticeProcessor(made.get(), [](void*, const char*) {}, nullptr);  // libpq's own prints
  return made;
}

}  // namespace seawall::postgres
