// Keys kept fresh over a real server by two caches of one name, as two processes would have them.
#include "seawall/cache.hpp"
#include "tier_support.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace seawall {
namespace {

/// What both processes load from.
struct slow_source {
  std::atomic<int> loads{0};
  std::atomic<int> now{0};
  std::atomic<bool> overlapped{false};

  int load() {
    if (++now > 1) overlapped = true;
    servers::pause_between_tries(20ms);
    const int value = ++loads;
    --now;
    return value;
  }
};

class kept_over_redis : public shared_tier_test {
 protected:
  struct process {
    std::shared_ptr<remote_tier> tier;
    cache<int, int> prices;

    process(std::uint16_t port, slow_source& source)
        : tier(member{port, {.bound = 30s, .heartbeat = 100ms, .budget = 10s, .idle = 60s}}.tier),
          prices({.name = "prices",
                  .ttl = 1h,
                  .loader = [&source](int) { return source.load(); },
                  .keep_fresh = {.stop_after = 2s, .every = 500ms},
                  .shared = tier}) {}

    int price() {
      const auto answer = prices.get_or_load(1);
      return answer && *answer ? **answer : 0;
    }
    std::size_t kept() const { return prices.stats().kept_keys; }
  };

  void SetUp() override {
    shared_tier_test::SetUp();
    if (!server) return;
    here = std::make_unique<process>(server->port(), source);
    there = std::make_unique<process>(server->port(), source);
  }
  /// Reads in both, again and again.
  void read_until(std::string_view what, const std::function<bool()>& done) {
    servers::wait_until(what, [&] { return here->price() != 0 && there->price() != 0 && done(); });
  }

  slow_source source;
  std::unique_ptr<process> here;
  std::unique_ptr<process> there;
};

TEST_F(kept_over_redis, one_process_loads_for_both) {
  read_until("both keep the key", [&] { return here->kept() == 1 && there->kept() == 1; });
  for (int i = 0; i != 4; ++i) {
    const int before = std::max(here->price(), there->price());
    read_until("both have a newer value", [&] { return here->price() > before && there->price() > before; });
  }
  EXPECT_FALSE(source.overlapped);
  EXPECT_EQ(here->prices.stats().total.loads + there->prices.stats().total.loads,
            static_cast<std::uint64_t>(source.loads));
}

TEST_F(kept_over_redis, it_goes_on_when_the_loading_process_is_gone) {
  read_until("both keep the key", [&] { return here->kept() == 1 && there->kept() == 1; });
  here.reset();
  const int before = there->price();
  servers::wait_until("a newer value", [&] { return there->price() > before + 1; });
}

TEST_F(kept_over_redis, it_stops_when_nobody_reads) {
  read_until("both keep the key", [&] { return here->kept() == 1 && there->kept() == 1; });
  servers::wait_until("nobody keeps it", [&] { return here->kept() == 0 && there->kept() == 0; });
  EXPECT_EQ(here->prices.stats().total.kept_stops, 1u);
  EXPECT_EQ(there->prices.stats().total.kept_stops, 1u);
}

}  // namespace
}  // namespace seawall
