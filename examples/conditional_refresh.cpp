// A refresh that asks "has it changed?": the origin answers 304 to a known ETag, and the old value lives on.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

using namespace std::chrono_literals;

struct page {
  std::string etag;
  std::string body;
};
struct response {
  int status = 200;
  page content{};
};

struct origin {
  page current{"\"1\"", "hello"};
  int bodies_sent = 0;

  response get(const std::string& if_none_match) {
    if (if_none_match == current.etag) return {.status = 304};
    ++bodies_sent;
    return {.content = current};
  }
};

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  origin server;
  seawall::cache<std::string, page> pages{
      {.name = "pages", .ttl = 1min, .jitter = 0, .stale_if_error = 1h, .clock = clock}};

  const auto fetch = [&](const std::string&, seawall::load_context<page>& context) -> seawall::loaded<page> {
    const auto& old = context.previous();  // what is cached, fresh or not; null if nothing is
    const response got = server.get(old ? old->etag : "");
    if (got.status == 304) return seawall::not_modified;  // keep the old value, start its TTL anew
    return got.content;
  };

  for (int minute = 0; minute < 10; ++minute, clock->advance(61s)) {
    if (minute == 5) server.current = {"\"2\"", "hello again"};
    const auto home = pages.get_or_load("/home", fetch);
    if (!home || (*home)->body != (minute < 5 ? "hello" : "hello again")) return 1;
  }

  const auto stats = pages.stats().total;
  std::cout << stats.loads << " requests, " << stats.not_modified << " answered 304, " << server.bodies_sent
            << " bodies sent\n";
  return stats.loads == 10 && stats.not_modified == 8 && server.bodies_sent == 2 ? 0 : 1;
}
