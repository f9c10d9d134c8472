#include "endpoint.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace seawall::redis {
namespace {

struct scheme {
  std::string_view name;
  topology_kind kind;
  bool tls;
  std::uint16_t port;
};

constexpr std::array<scheme, 7> schemes{{
    {"redis", topology_kind::standalone, false, 6379},
    {"rediss", topology_kind::standalone, true, 6379},
    {"unix", topology_kind::standalone, false, 0},
    {"redis+sentinel", topology_kind::sentinel, false, 26379},
    {"rediss+sentinel", topology_kind::sentinel, true, 26379},
    {"redis+cluster", topology_kind::cluster, false, 6379},
    {"rediss+cluster", topology_kind::cluster, true, 6379},
}};

template <class... Args>
std::unexpected<error> wrong(fmt::format_string<Args...> text, const Args&... args) {
  return fail(errc::invalid_argument, "url: " + fmt::vformat(text, fmt::make_format_args(args...)));
}

result<int> database_of(std::string_view text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size() || number < 0 || number > 65535) {
    return wrong("the database '{}' is no number from 0 to 65535", text);
  }
  return number;
}

// "host", "host:port", "[::1]:port": one of a list that URLs proper do not know.
result<net::address> host_of(std::string_view text, std::uint16_t default_port) {
  const auto parsed = boost::urls::parse_authority(text);
  if (!parsed || parsed->host_address().empty()) return wrong("'{}' is no host[:port]", text);
  if (!parsed->has_port()) return net::address{parsed->host_address(), default_port};
  const std::string digits{parsed->port()};
  const std::uint64_t port = digits.size() > 5 ? 0 : std::strtoul(digits.c_str(), nullptr, 10);
  if (port == 0 || port > 65535) return wrong("'{}' has no port from 1 to 65535", text);
  return net::address{parsed->host_address(), static_cast<std::uint16_t>(port)};
}

// The text up to the password, for messages.
std::string redacted(std::string_view url) {
  const auto slashes = url.find("://");
  const auto at = url.rfind('@');
  if (slashes == url.npos || at == url.npos) return std::string{url};
  return fmt::format("{}***{}", url.substr(0, slashes + 3), url.substr(at));
}

result<void> read_path(endpoint& into, const boost::urls::url_view& url, std::string_view scheme_name) {
  if (scheme_name == "unix") {
    into.servers.push_back({.host = {}, .port = 0, .path = std::string{url.path()}});
    if (url.path().empty()) return wrong("unix:// needs the path of a socket");
    for (const auto& parameter : url.params()) {
      if (parameter.key != "db") return wrong("unknown parameter '{}' (there is: db)", std::string{parameter.key});
      const auto number = database_of(parameter.value);
      if (!number) return std::unexpected(number.error());
      into.database = *number;
    }
    return {};
  }
  if (url.has_query()) return wrong("'{}://' takes no parameters after '?'", scheme_name);
  std::vector<std::string> parts;
  for (const auto& segment : url.segments()) {
    if (!segment.empty()) parts.push_back(segment);
  }
  if (into.kind == topology_kind::sentinel) {
    if (parts.empty()) return wrong("the name of the primary is missing: {}://host:26379/NAME", scheme_name);
    into.primary_name = parts.front();
    parts.erase(parts.begin());
  }
  if (parts.size() > 1) return wrong("the path has too many parts: the database is the last one");
  if (parts.empty()) return {};
  const auto number = database_of(parts.front());
  if (!number) return std::unexpected(number.error());
  into.database = *number;
  return {};
}

}  // namespace

result<endpoint> parse_endpoint(const options& how) {
  const std::string_view text = how.url;
  const auto colon = text.find("://");
  const std::string_view name = text.substr(0, colon == text.npos ? 0 : colon);
  const auto known = std::find_if(schemes.begin(), schemes.end(), [&](const scheme& s) { return s.name == name; });
  if (known == schemes.end()) {
    return wrong("'{}' does not begin with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://",
                 redacted(text));
  }
  endpoint found{.kind = known->kind, .tls = known->tls};

  // Boost.URL gets one host in place of the list.
  const std::string_view rest = text.substr(colon + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const auto at = authority.rfind('@');
  const std::string_view login = at == authority.npos ? std::string_view{} : authority.substr(0, at + 1);
  const std::string_view hosts = authority.substr(login.size());
  const std::string single = fmt::format("redis://{}{}{}", login, hosts.empty() ? "" : "host",
                                         rest.substr(authority.size()));
  const auto url = boost::urls::parse_uri(single);
  if (!url) return wrong("'{}' is no URL: {}", redacted(text), url.error().message());
  found.user = url->user();
  found.password = url->password();
  // redis://:secret@host and, as redis-cli has it, redis://secret@host are both the password of the default user.
  if (url->has_userinfo() && !url->has_password()) found.password = std::exchange(found.user, {});

  if (name != "unix") {
    for (std::size_t begin = 0; begin <= hosts.size();) {
      const auto end = std::min(hosts.find(',', begin), hosts.size());
      auto server = host_of(hosts.substr(begin, end - begin), known->port);
      if (!server) return std::unexpected(server.error());
      found.servers.push_back(std::move(*server));
      begin = end + 1;
    }
    if (found.kind == topology_kind::standalone && found.servers.size() != 1) {
      return wrong("{}:// takes one server, not {}; for several: redis+sentinel:// or redis+cluster://", name,
                   found.servers.size());
    }
  }
  if (auto read = read_path(found, *url, name); !read) return std::unexpected(read.error());

  if (!how.user.empty()) found.user = how.user;
  if (!how.password.empty()) found.password = how.password;
  if (how.database) found.database = *how.database;
  if (!found.user.empty() && found.password.empty()) {
    return fail(errc::invalid_argument, fmt::format("user '{}' has no password: set options.password", found.user));
  }
  if (found.kind == topology_kind::cluster && found.database != 0) {
    return wrong("a cluster has database 0 only, not {}", found.database);
  }
  return found;
}

result<void> validate(const options& how) {
  const auto within = [](std::string_view name, auto value, auto least, auto most) -> result<void> {
    if (value >= least && value <= most) return {};
    return fail(errc::invalid_argument, fmt::format("{} is {}, and must be from {} to {}", name, value, least, most));
  };
  const auto positive = [](std::string_view name, duration value) -> result<void> {
    if (value > duration::zero()) return {};
    return fail(errc::invalid_argument, fmt::format("{} must be more than zero", name));
  };
  for (const auto& checked : {
           within("connections", how.connections, 1, 64),
           within("max_dedicated", how.max_dedicated, 1, 4096),
           within("max_retries", how.max_retries, 0, 100),
           within("max_redirects", how.max_redirects, 1, 100),
           within("database", how.database.value_or(0), 0, 65535),
           within("max_queued_commands", how.max_queued_commands, std::size_t{1}, std::size_t{1} << 30),
           within("max_queued_bytes", how.max_queued_bytes, std::size_t{1024}, std::size_t{1} << 40),
           positive("command_timeout", how.command_timeout),
           positive("connect_timeout", how.connect_timeout),
           positive("health_interval", how.health_interval),
           positive("backoff.first", how.backoff.first),
       }) {
    if (!checked) return checked;
  }
  if (how.backoff.most < how.backoff.first) {
    return fail(errc::invalid_argument, "backoff.most is less than backoff.first");
  }
  if (how.client_name.find_first_of(" \r\n\t") != std::string::npos) {
    return fail(errc::invalid_argument, fmt::format("client_name '{}' has white space, which Redis refuses",
                                                    how.client_name));
  }
  return {};
}

}  // namespace seawall::redis
