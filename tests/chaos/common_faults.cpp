#include "topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using seawall::servers::direction;
using seawall::servers::redis_server;
using seawall::servers::tcp_proxy;

milliseconds between(dice& chance, milliseconds least, milliseconds most) {
  return least + milliseconds{chance.below(static_cast<std::uint64_t>((most - least).count()) + 1)};
}

using proxy_of = std::function<tcp_proxy&(std::size_t)>;
using break_link = std::function<std::string(tcp_proxy&, dice&)>;

// One that lasts, and ends by `mend`.
auto lasting(proxy_of proxy, milliseconds least, milliseconds most, break_link how,
             std::function<void(tcp_proxy&)> mend) {
  return [=](dice& chance, const std::string& held) {
    tcp_proxy& link = proxy(number_in(held));
    const auto length = between(chance, least, most);
    const std::string what = how(link, chance);
    return begun{.text = fmt::format("{}: {} for {} ms", held, what, length.count()),
                 .lasts = length,
                 .mend = [&link, mend] { mend(link); }};
  };
}

auto at_once(proxy_of proxy, break_link how) {
  return [=](dice& chance, const std::string& held) {
    return begun{.text = fmt::format("{}: {}", held, how(proxy(number_in(held)), chance))};
  };
}

std::string press(redis_server& server, dice& chance) {
  constexpr const char* policies[] = {"allkeys-lru", "allkeys-random", "volatile-ttl", "noeviction"};
  const std::string policy = policies[chance.below(std::size(policies))];
  std::uint64_t used = 0;
  const std::string now_used = server.info("used_memory");
  std::from_chars(now_used.data(), now_used.data() + now_used.size(), used);
  const std::uint64_t most = used - used / (chance.one_in(2) ? 5 : 50);
  server.run({"CONFIG", "SET", "maxmemory-policy", policy});
  server.run({"CONFIG", "SET", "maxmemory", std::to_string(most)});
  return fmt::format("has {} of the {} bytes that it uses, {}", most, used, policy);
}

}  // namespace

std::size_t number_in(std::string_view name) {
  std::size_t found = 0;
  const auto digits = name.substr(name.rfind(' ') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), found);
  return found;
}

std::vector<fault> proxy_faults(std::size_t count, std::function<tcp_proxy&(std::size_t)> proxy, std::string name,
                                milliseconds longest) {
  const auto one = [count, name](dice& chance) { return fmt::format("{} {}", name, chance.below(count)); };
  const auto release = [](tcp_proxy& link) { link.release(); };
  const auto some_way = [](dice& chance) { return chance.one_in(2) ? direction::to_client : direction::to_server; };
  const auto delay = [](tcp_proxy& link, dice& chance) {
    const auto by = between(chance, 1ms, 120ms);
    link.delay(by);
    return fmt::format("{} ms of delay", by.count());
  };
  const auto hold = [](tcp_proxy& link, dice&) {
    link.hold();
    return std::string{"nothing passes"};
  };
  const auto hold_way = [some_way](tcp_proxy& link, dice& chance) {
    const auto way = some_way(chance);
    link.hold(way);
    return fmt::format("nothing passes to the {}", way == direction::to_client ? "client" : "server");
  };
  const auto drop = [some_way](tcp_proxy& link, dice& chance) {
    const auto way = some_way(chance);
    link.drop(way);
    return fmt::format("what goes to the {} is lost", way == direction::to_client ? "client" : "server");
  };
  const auto refuse = [](tcp_proxy& link, dice&) {
    link.refuse();
    link.reset();
    return std::string{"refused"};
  };
  const auto slice = [](tcp_proxy& link, dice& chance) {
    const std::size_t bytes = 1 + chance.below(40);
    link.slice(direction::to_client, bytes);
    return fmt::format("pieces of {} bytes", bytes);
  };
  const auto unslice = [](tcp_proxy& link) { link.slice(direction::to_client, 0); };
  const auto cut = [some_way](tcp_proxy& link, dice& chance) {
    const std::uint64_t bytes = chance.below(3000);
    const auto way = some_way(chance);
    link.cut_after(way, bytes, chance.one_in(2) ? seawall::servers::ending::reset : seawall::servers::ending::close);
    return fmt::format("cut {} bytes later to the {}", bytes, way == direction::to_client ? "client" : "server");
  };
  const auto reset = [](tcp_proxy& link, dice&) {
    link.reset();
    return std::string{"connections reset"};
  };
  const auto short_time = std::min(longest, 400ms);
  return {
      {"connection slow", "network", 3, one,
       lasting(proxy, 100ms, 2s, delay, [](tcp_proxy& link) { link.delay(0ms); })},
      {"connection stalled", "network", 2, one, lasting(proxy, 20ms, short_time, hold, release)},
      {"connection dead", "network", 2, one, lasting(proxy, longest / 4, longest, hold, release)},
      {"connection half dead", "network", 2, one, lasting(proxy, longest / 10, longest, hold_way, release)},
      {"bytes lost", "network", 2, one, lasting(proxy, 20ms, longest, drop, release)},
      {"connection in pieces", "network", 1, one, lasting(proxy, 50ms, 500ms, slice, unslice)},
      {"connection refused", "network", 1, one,
       lasting(proxy, 20ms, longest, refuse, [](tcp_proxy& link) { link.accept(); })},
      {"connection cut", "network", 3, one, at_once(proxy, cut)},
      {"connection reset", "network", 2, one, at_once(proxy, reset)},
  };
}

std::vector<fault> common_server_faults(const choose_server& choose, const choose_server& choose_primary,
                                        const server_of& server,
                                        milliseconds longest_freeze) {
  const auto freeze = [=](dice& chance, const std::string& held) {
    redis_server& which = server(number_in(held));
    const auto length = between(chance, 10ms, longest_freeze);
    which.pause();
    return begun{.text = fmt::format("{} is stopped for {} ms", held, length.count()),
                 .lasts = length,
                 .mend = [&which] { which.resume(); }};
  };
  const auto command = [=](std::vector<std::string> words) {
    return [=](dice&, const std::string& held) {
      server(number_in(held)).run(words);
      return begun{.text = fmt::format("{}: {}", held, fmt::join(words, " "))};
    };
  };
  const auto pressure = [=](dice& chance, const std::string& held) {
    redis_server& which = server(number_in(held));
    const auto length = between(chance, 200ms, 2s);
    const std::string what = press(which, chance);
    return begun{.text = fmt::format("{} {}, for {} ms", held, what, length.count()),
                 .lasts = length,
                 .mend = [&which] { which.run({"CONFIG", "SET", "maxmemory", "0"}); }};
  };
  return {
      {"server stopped", "servers", 3, choose, freeze},
      {"clients thrown out", "servers", 2, choose, command({"CLIENT", "KILL", "TYPE", "normal"})},
      {"scripts forgotten", "servers", 1, choose, command({"SCRIPT", "FLUSH"})},
      {"FLUSHALL", "memory", 2, choose_primary, command({"FLUSHALL"})},
      {"memory pressure", "memory", 3, choose, pressure},
  };
}

}  // namespace chaos
