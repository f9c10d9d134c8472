// A session lives while it is used, half an hour from each use, and never longer than eight hours after the log-in.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

using namespace std::chrono_literals;

struct session {
  int user = 0;
};

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();

  seawall::cache<std::string, session> sessions{
      {.name = "sessions", .ttl = 8h, .jitter = 0, .sliding = 30min, .clock = clock}};

  sessions.put("idle", {.user = 1});
  sessions.put("busy", {.user = 2});

  int uses = 0;
  for (; sessions.get("busy"); ++uses) clock->advance(20min);  // a use renews; peek and contains do not

  std::cout << "the busy session was used " << uses << " times, " << uses * 20 / 60 << " hours\n";
  const bool idle_is_gone = !sessions.contains("idle");
  return idle_is_gone && uses == 24 ? 0 : 1;  // 24 x 20 minutes: the cap
}
