// A caller waits at most its own deadline, even when the loader hangs, if the loader is `detached`: it owns what it
// uses, runs on the cache's executor, and goes on without its caller.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

using namespace std::chrono_literals;

struct slow_database {
  seawall::manual_clock& clock;
  std::latch answers{1};

  std::string report(const std::string& name) {
    clock.advance(200ms);  // a slow query: 200 ms pass before it answers
    while (!answers.try_wait()) clock.advance(1ns);  // a caller may have set its alarm only now, for a past moment
    return "the report on " + name;
  }
};

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  const auto db = std::make_shared<slow_database>(*clock);
  seawall::cache<std::string, std::string> reports{{.name = "reports", .load_deadline = 10s, .clock = clock}};

  const auto load_report = [db](const std::string& name) { return db->report(name); };  // owns its database
  const auto answer = reports.get_or_load("sales", seawall::detached(load_report), {.deadline = 50ms});
  if (answer || answer.error() != seawall::errc::timed_out) return 1;
  std::cout << answer.error().message() << '\n';

  // The load goes on; its value will be there for the next caller.
  db->answers.count_down();
  while (!reports.contains("sales")) std::this_thread::yield();
  std::cout << "a moment later: " << *reports.get("sales") << '\n';

  // A deadline of zero: whatever the cache has, and no load.
  const auto now = reports.get_or_load("costs", seawall::detached(load_report), {.deadline = 0s});
  if (now || now.error() != seawall::errc::timed_out) return 1;

  // A plain loader runs on the caller's own thread, which cannot leave it: it is asked to stop when the time is up.
  const auto polite = [&](const std::string&, seawall::load_context<std::string>& context) -> std::string {
    while (!context.stop_token().stop_requested()) clock->advance(10ms);  // row after row
    throw std::runtime_error{"stopped"};
  };
  const auto stopped = reports.get_or_load("costs", polite, {.deadline = 50ms});
  return !stopped && stopped.error() == seawall::errc::timed_out ? 0 : 1;
}
