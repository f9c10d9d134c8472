// test_cluster: a world around cluster_machine in which the test is the servers, the network and the clock.
#pragma once

#include "cluster_machine.hpp"

#include "seawall/base/clock.hpp"
#include "seawall/resp/writer.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace seawall::redis::testing_cluster {

/// A clock that stands until it is set.
class standing_clock final : public seawall::clock {
 public:
  time_point now() const noexcept override { return at; }
  timer_id call_at(time_point, callback) override { return 0; }
  bool cancel(timer_id) override { return false; }

  time_point at{std::chrono::hours{1}};
};

/// A request that notes how it ended.
class noted_request final : public request {
 public:
  explicit noted_request(slot_number slot) {
    traits.effect = cmd::effect::read;
    traits.first_key = 1;
    book.flags = cluster_machine::keyed;
    book.slot = slot;
  }
  void on_reply(std::size_t, resp::view) noexcept override {}
  void on_end(const error* failure) noexcept override {
    ++ends;
    why = failure ? failure->message() : "ok";
    if (failure) code = failure->code();
  }

  int ends = 0;
  std::string why;
  boost::system::error_code code;
};

/// Ranges of slots with the hosts of their primary and replicas, as a reply to CLUSTER SLOTS; all ports are 1.
struct range {
  int first;
  int last;
  std::vector<std::string> hosts;
};
inline std::string slots_reply(const std::vector<range>& ranges) {
  std::string out;
  resp::reply_writer to{out};
  to.array(ranges.size());
  for (const range& r : ranges) {
    to.array(2 + r.hosts.size());
    to.integer(r.first);
    to.integer(r.last);
    for (const std::string& host : r.hosts) {
      to.array(3);
      to.bulk_string(host);
      to.integer(1);
      to.bulk_string("id of " + host);
    }
  }
  return out;
}

/// Slots 0 to 9 are a's, with replica r; 10 to 19 are b's.
inline const std::string two = slots_reply({{0, 9, {"a", "r"}}, {10, 19, {"b"}}});

class world;

class fake_node final : public cluster_server {
 public:
  fake_node(world& in, const net::address& at) : cluster_server(at), in_(in) {}
  ~fake_node() override;

  void submit(request& asked, bool asking) override { queue.emplace_back(&asked, asking); }
  bool idle() const override { return queue.empty(); }
  std::vector<request*> take_waiting() override {
    std::vector<request*> taken;
    for (const auto& [one, asking] : std::exchange(queue, {})) taken.push_back(one);
    return taken;
  }
  void reconnect(const error&) override { ++reconnects; }
  void close(const error&) override { closed = true; }

  std::deque<std::pair<request*, bool>> queue;  // with whether ASKING goes before it
  int reconnects = 0;
  bool closed = false;

 private:
  world& in_;
};

class world final : public cluster_host {
 public:
  explicit world(cluster_machine::settings how = {.seeds = {{"a", 1}}})
      : machine(*this, clock, random, counters, std::move(how)) {}

  // cluster_host
  std::unique_ptr<cluster_server> make_server(const net::address& at) override {
    auto made = std::make_unique<fake_node>(*this, at);
    nodes[at.host] = made.get();
    return made;
  }
  void end(request& one, const error& why) override { one.on_end(&why); }
  void park(request& one, time_point due) override { parked.emplace_back(&one, due); }
  void wait_for_map(request& one) override { waiting.push_back(&one); }
  void release_waiting() override {
    for (request* one : std::exchange(waiting, {})) machine.route(*one);
  }
  void fail_waiting(const error& why) override {
    for (request* one : std::exchange(waiting, {})) one->on_end(&why);
  }
  void ask_slots(cluster_server& whom) override {
    asked = &whom;
    questions.push_back(clock.at);
  }
  void forget_question() override { asked = nullptr; }
  void slot_lost(cluster_server& by, slot_number slot) override { lost[by.address().host].insert(slot); }
  void wake_at(time_point when) override { wake = when; }

  /// The node answers the question for the map, which must be under way.
  void answer(const std::string& reply) {
    asked = nullptr;
    machine.slots_answered(resp::view{std::string_view{reply}});
  }
  void no_answer(const error& why) {
    asked = nullptr;
    machine.slots_failed(why);
  }
  /// Moves the clock, and does what is due then.
  void pass(duration span) {
    clock.at += span;
    auto due = std::exchange(parked, {});
    for (const auto& [one, when] : due) {
      if (when <= clock.at) machine.route(*one);
      else parked.emplace_back(one, when);
    }
    if (wake <= clock.at) machine.tick();
  }
  /// To the next moment at which something is due; false: nothing is.
  bool pass_to_next() {
    time_point next = wake;
    for (const auto& [one, when] : parked) next = std::min(next, when);
    if (next == never) return false;
    pass(std::max(duration::zero(), next - clock.at));
    return true;
  }
  /// The first map: the seed is asked and answers.
  void begin(const std::string& reply) {
    machine.want_map();
    while (!asked) pass_to_next();
    answer(reply);
  }
  fake_node& node(const std::string& host) { return *nodes.at(host); }
  /// The node whose queue has the request; nullptr if none.
  fake_node* holder_of(const request& one) {
    for (const auto& [host, here] : nodes) {
      for (const auto& [queued, asking] : here->queue) {
        if (queued == &one) return here;
      }
    }
    return nullptr;
  }
  /// Takes the request off a node's queue, as a reply does; returns whether ASKING went before it.
  bool take(fake_node& from, const request& one) {
    const auto at = std::ranges::find_if(from.queue, [&](const auto& q) { return q.first == &one; });
    const bool asking = at->second;
    from.queue.erase(at);
    return asking;
  }
  bool refuse(const std::string& host, request& one, std::string_view text) {
    take(node(host), one);
    return machine.refused(node(host), one, text);
  }

  std::map<std::string, fake_node*> nodes;
  standing_clock clock;
  random_source random{7};
  stats_counters counters;
  std::vector<std::pair<request*, time_point>> parked;
  std::vector<request*> waiting;
  cluster_server* asked = nullptr;
  std::vector<time_point> questions;
  std::map<std::string, std::set<int>> lost;
  time_point wake = never;
  cluster_machine machine;  // last: it destroys nodes
};

inline fake_node::~fake_node() { in_.nodes.erase(address().host); }

}  // namespace seawall::redis::testing_cluster
