#include "seawall/cmd/server_types.hpp"

#include <tuple>

namespace seawall::cmd {
namespace {

/// The text up to `end`, which goes away with it.
std::string_view cut(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  const std::string_view front = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
  return front;
}

/// A tuple from the elements of `reply`, which may have more.
template <class... T, std::size_t... I>
result<std::tuple<T...>> read_front(resp::view reply, std::index_sequence<I...>) {
  if (!reply.is_aggregate() || reply.size() < sizeof...(T)) return detail::unexpected_size(sizeof...(T), reply);
  std::tuple<result<T>...> parts{decode<T>(reply[I])...};
  std::optional<error> failed;
  const auto check = [&failed](auto& part) {
    if (!part && !failed) failed = std::move(part.error());
  };
  (check(std::get<I>(parts)), ...);
  if (failed) return std::unexpected(*std::move(failed));
  return std::tuple<T...>{*std::move(std::get<I>(parts))...};
}

template <class... T>
result<std::tuple<T...>> read_front(resp::view reply) {
  return read_front<T...>(reply, std::index_sequence_for<T...>{});
}

result<server_role> read_primary(resp::view reply) {
  auto parts = read_front<std::string, std::int64_t, std::vector<replica_description>>(reply);
  if (!parts) return std::unexpected(std::move(parts.error()));
  return primary_role{std::get<1>(*parts), std::move(std::get<2>(*parts))};
}

result<server_role> read_replica(resp::view reply) {
  auto parts = read_front<std::string, std::string, std::uint16_t, std::string, std::int64_t>(reply);
  if (!parts) return std::unexpected(std::move(parts.error()));
  auto& [name, host, port, state, offset] = *parts;
  return replica_role{std::move(host), port, std::move(state), offset};
}

result<server_role> read_sentinel(resp::view reply) {
  auto parts = read_front<std::string, std::vector<std::string>>(reply);
  if (!parts) return std::unexpected(std::move(parts.error()));
  return sentinel_role{std::move(std::get<1>(*parts))};
}

}  // namespace

server_info::server_info(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = cut(text, "\n");
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("# ")) {
      sections_.emplace_back(line.substr(2), fields{});
    } else if (line.find(':') != std::string_view::npos) {
      const std::string_view name = cut(line, ":");
      if (sections_.empty()) sections_.emplace_back();
      sections_.back().second.emplace_back(name, line);
    }
  }
}

std::optional<std::string_view> server_info::find(std::string_view field) const noexcept {
  for (const auto& [section, all] : sections_) {
    for (const auto& [name, value] : all) {
      if (name == field) return value;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> server_info::number(std::string_view field) const noexcept {
  const auto text = find(field);
  std::int64_t value = 0;
  if (!text || !seawall::detail::parse_number(*text, value)) return std::nullopt;
  return value;
}

result<server_info> reply_reader<server_info>::read(resp::view reply) {
  if (!detail::is_text(reply)) return detail::unexpected_reply("a string", reply);
  return server_info{reply.text()};
}

result<replica_description> reply_reader<replica_description>::read(resp::view reply) {
  auto parts = read_front<std::string, std::uint16_t, std::int64_t>(reply);
  if (!parts) return std::unexpected(std::move(parts.error()));
  auto& [host, port, offset] = *parts;
  return replica_description{std::move(host), port, offset};
}

result<server_role> reply_reader<server_role>::read(resp::view reply) {
  if (reply.is_aggregate()) {
    const std::string_view name = reply[0].text();
    if (name == "master") return read_primary(reply);
    if (name == "slave") return read_replica(reply);
    if (name == "sentinel") return read_sentinel(reply);
  }
  return detail::unexpected_reply("a role: master, slave or sentinel", reply);
}

result<command_description> reply_reader<command_description>::read(resp::view reply) {
  auto parts =
      read_front<std::string, std::int64_t, std::vector<std::string>, std::int64_t, std::int64_t, std::int64_t>(reply);
  if (!parts) return std::unexpected(std::move(parts.error()));
  auto& [name, arity, flags, first, last, step] = *parts;
  return command_description{std::move(name), arity, std::move(flags), first, last, step};
}

result<std::chrono::sys_time<std::chrono::microseconds>>
reply_reader<std::chrono::sys_time<std::chrono::microseconds>>::read(resp::view reply) {
  const auto parts = decode<std::pair<std::int64_t, std::int64_t>>(reply);
  if (!parts) return std::unexpected(parts.error());
  return std::chrono::sys_time<std::chrono::microseconds>{std::chrono::seconds{parts->first} +
                                                          std::chrono::microseconds{parts->second}};
}

result<std::chrono::sys_seconds> reply_reader<std::chrono::sys_seconds>::read(resp::view reply) {
  const auto seconds = decode<std::int64_t>(reply);
  if (!seconds) return std::unexpected(seconds.error());
  return std::chrono::sys_seconds{std::chrono::seconds{*seconds}};
}

}  // namespace seawall::cmd
