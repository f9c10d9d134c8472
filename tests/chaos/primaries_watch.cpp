#include "primaries_watch.hpp"

#include "servers/wait.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

namespace chaos {
namespace {

using namespace std::chrono_literals;

// A time of two primaries that is noticed by the next question began no longer before it.
constexpr std::int64_t late = 300 * millisecond;
// So long one must be alone before the other counts as gone: clients find it by the sentinels, or by the bus.
constexpr std::int64_t calm = 400 * millisecond;

}  // namespace

primaries_watch::primaries_watch(truth& shared, diary& log, std::vector<std::uint16_t> ports, std::size_t expected)
    : shared_(shared), log_(log), expected_(expected) {
  for (const std::uint16_t port : ports) links_.push_back({.port = port});
  thread_ = std::thread{[this] { run(); }};
}

primaries_watch::~primaries_watch() {
  stop_ = true;
  thread_.join();
}

void primaries_watch::may_begin() {
  ++known_;
  open();
}

bool primaries_watch::covers(std::int64_t moment) const {
  const auto bound = static_cast<std::int64_t>(shared_.head().bound_ns.load());
  const std::lock_guard lock{mutex_};
  return std::ranges::any_of(times_, [&](const auto& time) {
    return moment >= time.first - late && (time.second == 0 || moment < time.second + bound);
  });
}

void primaries_watch::open() {
  const std::lock_guard lock{mutex_};
  auto& count = shared_.head().two_primaries;
  if (count.load() % 2 == 1) return;
  times_.emplace_back(now(), 0);
  ++count;
  log_.note({}, "there may be two primaries");
}

void primaries_watch::close() {
  const std::lock_guard lock{mutex_};
  times_.back().second = now();
  shared_.head().two_primaries_ended.store(times_.back().second);
  ++shared_.head().two_primaries;
  log_.note({}, "one primary again; its data is removed");
}

bool primaries_watch::is_primary(link& one) {
  try {
    if (!one.client) one.client.emplace(one.port, 100ms);
    const auto role = one.client->run({"ROLE"});
    return !role.elements.empty() && role.elements[0] == "master";
  } catch (const std::runtime_error&) {  // dead, or frozen: nobody is answered by it
    one.client.reset();
    return false;
  }
}

bool primaries_watch::flush_all() {
  std::size_t flushed = 0;
  for (link& one : links_) {
    if (!is_primary(one)) continue;
    try {
      if (!one.client->run({"FLUSHALL"}).is_error()) ++flushed;
    } catch (const std::runtime_error&) { one.client.reset(); }
  }
  return flushed == expected_;
}

void primaries_watch::run() {
  std::int64_t last = 0;
  while (!stop_) {
    const auto count = static_cast<std::size_t>(std::ranges::count_if(links_, [this](link& one) {
      return is_primary(one);
    }));
    if (count > expected_ || known_ != 0) {
      open();
      last = now();
    } else if (shared_.head().two_primaries.load() % 2 == 1 && now() > last + calm && known_ == 0 && flush_all()) {
      close();
    }
    seawall::servers::pause_between_tries(10ms);
  }
}

}  // namespace chaos
