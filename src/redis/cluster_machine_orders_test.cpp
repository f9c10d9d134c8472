// Every order of up to six events around one request on a cluster.
#include "cluster_machine.hpp"

#include "seawall/cmd/error.hpp"
#include "test_cluster.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace seawall::redis {
namespace {

using namespace testing_cluster;

enum class event { moved, moved_here, ask, try_again, cluster_down, disconnect, map, time };
constexpr event all_events[] = {event::moved,        event::moved_here, event::ask, event::try_again,
                                event::cluster_down, event::disconnect, event::map, event::time};

// One request for slot 5, which is about to move from a to b.
struct story {
  story() { w.begin(two); }

  // False: this cannot happen now.
  bool happen(event what) {
    fake_node* const at = w.holder_of(one);
    if (!at && what != event::map && what != event::time) return false;
    const std::string here = at ? at->address().host : "";
    const std::string other = here == "a" ? "b" : "a";
    switch (what) {
      case event::moved: return w.refuse(here, one, "MOVED 5 " + other + ":1");
      case event::moved_here: return w.refuse(here, one, "MOVED 5 " + here + ":1");
      case event::ask: return w.refuse(here, one, "ASK 5 " + other + ":1");
      case event::try_again: return w.refuse(here, one, "TRYAGAIN x");
      case event::cluster_down: return w.refuse(here, one, "CLUSTERDOWN x");
      case event::disconnect: w.machine.down(*at, error{cmd::errc::connection_lost, "broken"}); return true;
      case event::map:
        if (!w.asked) return false;
        w.answer(later);
        return true;
      case event::time: return w.pass_to_next();
    }
    return false;
  }
  int places() {
    int count = one.ends;
    for (const auto& [host, node] : w.nodes) {
      count += static_cast<int>(std::ranges::count_if(node->queue, [&](const auto& q) { return q.first == &one; }));
    }
    count += static_cast<int>(std::ranges::count_if(w.parked, [&](const auto& p) { return p.first == &one; }));
    return count + static_cast<int>(std::ranges::count(w.waiting, &one));
  }
  // The servers settle on b: the request must get there.
  bool arrives() {
    for (int i = 0; i < 100; ++i) {
      if (w.asked) w.answer(later);
      for (const auto& [host, node] : w.nodes) w.machine.ready(*node);
      fake_node* const at = w.holder_of(one);
      if (at && at->address().host == "b") return true;
      if (at) w.refuse("a", one, "MOVED 5 b:1");
      else w.pass_to_next();
    }
    return false;
  }

  static inline const std::string later = slots_reply({{0, 4, {"a"}}, {5, 19, {"b"}}});
  noted_request one{5};
  world w;
};

std::string name_of(const std::vector<event>& events) {
  std::string all;
  for (const event one : events) all += " " + std::to_string(static_cast<int>(one));
  return all;
}

// Extends a story that went well by each event that can follow.
void follow(std::vector<event>& so_far, std::size_t length, std::size_t& told) {
  for (const event next : all_events) {
    so_far.push_back(next);
    story s;
    s.w.machine.route(s.one);
    bool possible = true;
    for (const event one : so_far) possible = possible && s.happen(one);
    if (possible) {
      ++told;
      ASSERT_EQ(s.places(), 1) << name_of(so_far);
      ASSERT_EQ(s.one.ends, 0) << name_of(so_far);
      if (so_far.size() < length) follow(so_far, length, told);
      else ASSERT_TRUE(s.arrives()) << name_of(so_far);
    }
    so_far.pop_back();
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(cluster_machine_orders, a_request_is_in_one_place_and_arrives_whatever_comes_in_whatever_order) {
  std::vector<event> none;
  std::size_t told = 0;
  follow(none, 6, told);
  EXPECT_GT(told, 10'000U);
}

}  // namespace
}  // namespace seawall::redis
