// The loader knows best: it may set the options of the entry it answers with. They overrule the call's and the cache's.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

using namespace std::chrono_literals;

struct token {
  std::string text;
  std::chrono::seconds expires_in{};
};

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();

  // An access token lives as long as its issuer says, less a margin.
  seawall::cache<std::string, token> tokens{{.name = "tokens", .ttl = 5min, .jitter = 0, .clock = clock}};
  const auto issue = [](const std::string& scope, seawall::load_context<token>& context) {
    const token fresh{.text = "secret for " + scope, .expires_in = 20min};
    context.entry.ttl = fresh.expires_in - 30s;
    return fresh;
  };
  (void)tokens.get_or_load("mail", issue);
  clock->advance(19min);
  const bool adaptive = tokens.contains("mail");
  clock->advance(31s);
  std::cout << "the token lived " << (adaptive && !tokens.contains("mail") ? "as long as its issuer said" : "wrongly")
            << '\n';

  // A search that timed out halfway answers its callers, but is not kept.
  seawall::cache<std::string, std::string> searches{{.name = "searches"}};
  bool complete = false;
  const auto search = [&](const std::string& words) -> seawall::loaded<std::string> {
    const seawall::loaded<std::string> found = "results for " + words;
    if (complete) return found;
    return seawall::loaded{found}.with({.no_store = true});
  };
  const auto partial = searches.get_or_load("shoes", search);
  const bool unkept = partial && *partial && !searches.contains("shoes");
  complete = true;
  (void)searches.get_or_load("shoes", search);
  std::cout << "the partial result was handed out and " << (unkept ? "not kept\n" : "kept\n");

  return adaptive && !tokens.contains("mail") && unkept && searches.contains("shoes") ? 0 : 1;
}
