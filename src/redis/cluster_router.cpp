// The servers of a cluster: the machine over connections, timers, and requests that go to several slots.
#include "cluster_keys.hpp"
#include "cluster_machine.hpp"
#include "cluster_scan.hpp"
#include "cluster_scatter.hpp"
#include "router.hpp"
#include "seawall/cmd/error.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

namespace seawall::redis {
namespace {

// A greeted node that has not told its map for so long is not worth waiting for.
constexpr duration answer_time = std::chrono::milliseconds{500};

class node_server final : public cluster_server {
 public:
  node_server(services& with, ender& ends, connection_owner& owner, const net::address& at,
              const connection::settings& how)
      : cluster_server(at), servant(with, ends, owner, at, how) {}

  void submit(request& asked, bool asking) override { servant.submit(asked, asking); }
  bool idle() const override { return servant.idle(); }
  std::vector<request*> take_waiting() override { return servant.take_waiting(); }
  void reconnect(const error& why) override {
    for (const auto& one : servant.shared()) one->restart(why);
  }
  void close(const error& why) override { servant.close(why); }

  node servant;
};

node& node_of(cluster_server& server) { return static_cast<node_server&>(server).servant; }

// CLUSTER SLOTS, one at a time.
class slots_question final : public request {
 public:
  explicit slots_question(cluster_machine& machine) : machine_(machine) {
    bytes = "*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";
    traits.effect = cmd::effect::admin;  // another server is asked rather than the same one again
  }
  void begin(const net::address& whom, time_point deadline, duration most) {
    renew();
    whom_ = whom.text();
    timeout = most;
    book.deadline = deadline;
    book.flags = cluster_machine::internal;
    failure_.reset();
    under_way = true;
  }
  void on_reply(std::size_t, resp::view reply) noexcept override {
    if (!reply.is_error()) return machine_.slots_answered(reply);
    failure_.emplace(cmd::classify(reply.text()), whom_ + ": " + std::string{reply.text()});
  }
  void on_end(const error* why) noexcept override {
    under_way = false;
    if (why) failure_ = *why;
    if (failure_) machine_.slots_failed(*failure_);
  }

  bool under_way = false;

 private:
  cluster_machine& machine_;
  std::string whom_;
  std::optional<error> failure_;
};

class cluster_router final : public router, public ender, private cluster_host {
 public:
  explicit cluster_router(router_host& host)
      : host_(host), services_(host.shared()),
        machine_(*this, *services_.clock, services_.random, services_.counters,
                 {.seeds = services_.endpoint.servers,
                  .max_redirects = services_.options.max_redirects,
                  .read_replicas = services_.options.read_from == read_from::prefer_replica}),
        question_(machine_),
        unmapped_(services_, *this, [this](request& asked) { dispatch(asked); },
                  [this](request&) { return machine_.why_no_map(); }),
        paused_(services_, *this, [this](request& asked) { machine_.route(asked); },
                [this](request& asked) { return machine_.why_paused(asked); }),
        timer_(std::make_shared<boost::asio::steady_timer>(services_.executor)) {}
  ~cluster_router() override { *alive_ = false; }

  // router
  void route(request& asked) override;
  void close(const error& why) override;
  node* node_for(const request& asked) override;
  std::vector<node*> primaries() override;
  void refresh() override { machine_.want_map(); }

  // ender: of all connections and rooms
  void end(request& asked, const error* failure) override {
    if ((asked.book.flags & cluster_machine::internal) != 0) return asked.on_end(failure);
    host_.end(asked, failure);
  }

  // connection_owner
  bool redirect(connection& from, request& asked, const resp::view& error_reply) override;
  void on_ready(connection& who) override;
  void on_down(connection& who, const error& why) override;
  void on_late(connection& who) override;
  void on_batch() override { host_.pump(); }

 private:
  // cluster_host
  std::unique_ptr<cluster_server> make_server(const net::address& at) override;
  void end(request& asked, const error& why) override { end(asked, &why); }
  void park(request& asked, time_point due) override { paused_.park(asked, due); }
  void wait_for_map(request& asked) override { unmapped_.park(asked, never); }
  void release_waiting() override { unmapped_.release_all(); }
  void fail_waiting(const error& why) override { unmapped_.fail_all(why); }
  void ask_slots(cluster_server& whom) override;
  void forget_question() override;
  void slot_lost(cluster_server& by, slot_number slot) override;
  void wake_at(time_point when) override;

  void dispatch(request& asked);
  void split(request& asked);
  void copy_to_primaries(request& asked, merging how);
  void scan(request& asked);
  cluster_scatter& scatter(request& asked, merging how);
  void on_timer();

  router_host& host_;
  services& services_;
  cluster_machine machine_;
  slots_question question_;
  waiting_room unmapped_;
  waiting_room paused_;
  std::unordered_map<cluster_scatter*, std::unique_ptr<cluster_scatter>> scatters_;
  std::unordered_map<cluster_scan*, std::unique_ptr<cluster_scan>> scans_;
  // Handlers of the timer outlive the router.
  std::shared_ptr<boost::asio::steady_timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  time_point armed_ = never;
};

// --- requests --------------------------------------------------------------------------------------------------------

void cluster_router::route(request& asked) {
  const key_slots found = slots_of(asked);
  if (found.what == key_slots::kind::several) {
    if (asked.traits.splittable) return split(asked);
    return end(asked, error{cmd::errc::cross_slot,
                            fmt::format("the keys of one command must lie in one slot of the cluster: '{}' lies in {}, "
                                        "'{}' in {}; a common hash tag, as in {{user:1}}:name, holds keys together",
                                        found.first_key, found.slot, found.other_key, slot_of(found.other_key))});
  }
  if (found.what == key_slots::kind::one) {
    asked.book.flags |= cluster_machine::keyed;
    asked.book.slot = found.slot;
  }
  dispatch(asked);
}

void cluster_router::dispatch(request& asked) {
  if ((asked.book.flags & (cluster_machine::keyed | cluster_machine::internal)) == 0 && asked.replies == 1 &&
      machine_.knows_map()) {
    if (is_command(asked, "SCAN")) return scan(asked);
    if (const auto how = merging_over_primaries(asked)) return copy_to_primaries(asked, *how);
  }
  machine_.route(asked);
}

cluster_scatter& cluster_router::scatter(request& asked, merging how) {
  auto made = std::make_unique<cluster_scatter>(asked, how, *this, [this](cluster_scatter& ended) {
    scatters_.erase(&ended);
  });
  cluster_scatter& here = *made;
  scatters_.emplace(&here, std::move(made));
  return here;
}

void cluster_router::split(request& asked) {
  const merging how = is_command(asked, "MGET") ? merging::elements
                      : is_command(asked, "MSET") ? merging::same
                                                  : merging::sum;
  cluster_scatter& parts = scatter(asked, how);
  parts.split_by_slot();
  parts.run([this](request& part, std::size_t) { machine_.route(part); });
}

void cluster_router::copy_to_primaries(request& asked, merging how) {
  const auto servers = machine_.primaries();
  cluster_scatter& parts = scatter(asked, how);
  parts.copy(servers.size());
  parts.run([&](request& part, std::size_t which) { servers[which]->submit(part, false); });
}

void cluster_router::scan(request& asked) {
  auto made = std::make_unique<cluster_scan>(asked, machine_.map(), *this,
                                             [this](cluster_scan& ended) { scans_.erase(&ended); });
  cluster_scan& here = *made;
  scans_.emplace(&here, std::move(made));
  here.run([this](request& step) { machine_.route(step); });
}

bool cluster_router::redirect(connection& from, request& asked, const resp::view& error_reply) {
  if (cluster_machine::is_bound(asked)) return false;
  cluster_server* const server = machine_.find(from.address());
  return server && machine_.refused(*server, asked, error_reply.text());
}

void cluster_router::close(const error& why) {
  machine_.close(why);
  paused_.fail_all(why);
  timer_->cancel();
}

node* cluster_router::node_for(const request& asked) {
  const key_slots found = slots_of(asked);
  cluster_server* server = nullptr;
  if (found.what == key_slots::kind::one) {
    server = machine_.primary_of(found.slot);
  } else if (const auto all = machine_.primaries(); !all.empty()) {
    server = all[services_.random.next() % all.size()];
  }
  if (!server) machine_.want_map();
  return server ? &node_of(*server) : nullptr;
}

std::vector<node*> cluster_router::primaries() {
  std::vector<node*> all;
  for (cluster_server* one : machine_.primaries()) all.push_back(&node_of(*one));
  if (all.empty()) machine_.want_map();
  return all;
}

// --- connections -----------------------------------------------------------------------------------------------------

std::unique_ptr<cluster_server> cluster_router::make_server(const net::address& at) {
  return std::make_unique<node_server>(
      services_, *this, *this, at,
      connection::settings{.tracking = services_.options.tracking != nullptr,
                           .read_only = services_.options.read_from == read_from::prefer_replica});
}

void cluster_router::on_ready(connection& who) {
  if (cluster_server* const server = machine_.find(who.address())) machine_.ready(*server);
}

void cluster_router::on_down(connection& who, const error& why) {
  cluster_server* const server = machine_.find(who.address());
  if (!server) return;
  const node& here = node_of(*server);
  const bool shared = std::ranges::any_of(here.shared(), [&](const auto& one) { return one.get() == &who; });
  if (shared && !here.ready()) machine_.down(*server, why);
  host_.pump();
}

void cluster_router::on_late(connection& who) {
  if (cluster_server* const server = machine_.find(who.address())) machine_.timed_out(*server);
}

void cluster_router::ask_slots(cluster_server& whom) {
  const node& here = node_of(whom);
  const duration most = here.ready() ? std::min(answer_time, services_.options.connect_timeout)
                                     : services_.options.connect_timeout;
  question_.begin(whom.address(), after(services_.clock->now(), most), most);
  whom.submit(question_, false);
}

void cluster_router::forget_question() {
  if (std::exchange(question_.under_way, false)) static_cast<holder*>(question_.book.where)->forget(question_);
}

void cluster_router::slot_lost(cluster_server& by, slot_number slot) {
  const auto& listener = services_.options.tracking;
  if (!listener) return;
  for (const auto& one : node_of(by).shared()) {
    if (one->now_in() == connection::state::ready) {
      listener->on_loss(one->generation(), tracking_loss::slot_moved, slot);
    }
  }
}

void cluster_router::wake_at(time_point when) {
  if (when == armed_) return;
  armed_ = when;
  if (when == never) {
    timer_->cancel();
    return;
  }
  timer_->expires_at(when);
  timer_->async_wait([this, alive = alive_, held = timer_](boost::system::error_code stopped) {
    if (*alive && !stopped) on_timer();
  });
}

void cluster_router::on_timer() {
  // A timer that was set anew may have fired before.
  if (services_.clock->now() < armed_) return;
  armed_ = never;
  machine_.tick();
  host_.pump();
}

}  // namespace

std::unique_ptr<router> make_cluster_router(router_host& host) { return std::make_unique<cluster_router>(host); }

}  // namespace seawall::redis
