#include "sentinel_answer.hpp"

#include "seawall/cmd/error.hpp"
#include "seawall/resp/command_bytes.hpp"
#include "seawall/resp/value.hpp"

#include <array>
#include <utility>

namespace seawall::redis {
namespace {

enum class question : std::uint8_t { my_id, address, primary, sentinels, replicas };

std::optional<net::address> address_of(const resp::view& host, const resp::view& port) {
  const auto number = port.integer().value_or(0);
  if (host.text().empty() || number < 1 || number > 65535) return std::nullopt;
  return net::address{.host = std::string{host.text()}, .port = static_cast<std::uint16_t>(number)};
}

bool has_flag(std::string_view flags, std::string_view wanted) {
  while (!flags.empty()) {
    const auto comma = flags.find(',');
    if (flags.substr(0, comma) == wanted) return true;
    flags.remove_prefix(comma == flags.npos ? flags.size() : comma + 1);
  }
  return false;
}

bool is_down(std::string_view flags) { return has_flag(flags, "s_down") || has_flag(flags, "o_down"); }

bool serves_reads(const resp::view& replica) {
  const std::string_view flags = replica.find("flags").text();
  const resp::view link = replica.find("master-link-status");
  return !is_down(flags) && !has_flag(flags, "disconnected") && (link.is_null() || link.text() == "ok");
}

}  // namespace

std::string sentinel_question(std::string_view primary_name) {
  std::string bytes{resp::command_bytes{"SENTINEL", "MYID"}.bytes()};
  // In the order of `question`.
  for (const std::string_view about : {"GET-MASTER-ADDR-BY-NAME", "MASTER", "SENTINELS", "REPLICAS"}) {
    bytes += resp::command_bytes{"SENTINEL", about, primary_name}.bytes();
  }
  return bytes;
}

void sentinel_reader::on_reply(std::size_t index, const resp::view& reply) {
  const auto asked = static_cast<question>(index);
  if (asked == question::my_id) says_ = {}, refused_.reset();
  if (reply.is_error()) {
    // The address alone is needed; the others are refused for an unknown name, or by a sentinel that is older.
    if (asked == question::address) refused_ = cmd::to_error(reply.text());
    return;
  }
  switch (asked) {
    case question::my_id: says_.id = reply.text(); break;
    case question::address:
      if (reply.is_null()) break;
      says_.primary = address_of(reply[0], reply[1]);
      if (!says_.primary) refused_ = error{cmd::errc::unexpected_reply, "no address: " + resp::describe(reply)};
      break;
    case question::primary: {
      const auto epoch = reply.find("config-epoch").integer().value_or(0);
      says_.epoch = epoch < 0 ? 0 : static_cast<std::uint64_t>(epoch);
      says_.down = is_down(reply.find("flags").text());
      break;
    }
    case question::sentinels:
      for (const resp::view one : reply) {
        const auto where = address_of(one.find("ip"), one.find("port"));
        if (!where || says_.others.size() == sentinel_answer::most_others) continue;
        says_.others.push_back({*where, std::string{one.find("runid").text()}});
      }
      break;
    case question::replicas:
      for (const resp::view one : reply) {
        const auto where = address_of(one.find("ip"), one.find("port"));
        if (!where || says_.replicas.size() == sentinel_answer::most_replicas || !serves_reads(one)) continue;
        says_.replicas.push_back(*where);
      }
      break;
  }
}

result<sentinel_answer> sentinel_reader::take() {
  if (refused_) return std::unexpected(*std::exchange(refused_, std::nullopt));
  return std::exchange(says_, {});
}

bool is_switch_message(const resp::view& message, std::string_view primary_name) {
  if (message[0].text() != "message" || message[1].text() != sentinel_channel) return false;
  const std::string_view text = message[2].text();  // name old-host old-port new-host new-port
  return text.substr(0, text.find(' ')) == primary_name;
}

}  // namespace seawall::redis
