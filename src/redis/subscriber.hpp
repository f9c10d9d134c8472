// subscriber: a subscription's inside: which topic is heard on which connection, and what to do when one is not.
#pragma once

#include "backoff.hpp"
#include "core.hpp"
#include "subscriber_gate.hpp"
#include "subscriber_link.hpp"
#include "subscriber_topics.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::redis {

/// Topics are placed on links, one for each server: those of a standalone server or of Sentinel's primary on one link;
/// in a cluster channels and patterns at any one node, sharded ones at the owner of their slot. When a link is lost,
/// its topics look for a server anew, after a pause.
/// Thread safety: members marked so may be called from any thread; the rest on the client's executor.
class subscriber final : public dependent,
                         private subscriber_link::listener,
                         public std::enable_shared_from_this<subscriber> {
 public:
  // How often it is checked that a link's server still is the right one.
  static constexpr duration check_period = std::chrono::seconds{1};

  subscriber(std::shared_ptr<core> with, message_handler handler, subscription_options how);

  /// Any thread; before all else.
  void start();
  /// Any thread.
  result<void> add(const topics& more);
  result<void> remove(const topics& those);
  result<void> active() const;
  /// Any thread: see ~subscription.
  void stop();

  // dependent
  void on_close(const error& why) override;

 private:
  // A call of `add` that waits.
  struct waiter {
    std::atomic<bool> done{false};
    std::optional<error> failure{};
    bool detached = false;  // nobody waits for it
    std::size_t left = 0;   // confirmations
    time_point deadline = never;
    std::vector<std::pair<topic_kind, std::string>> added{};

    void end(const error* why = nullptr) {
      if (why) failure = *why;
      done.store(true, std::memory_order_release);
      done.notify_all();
    }
  };
  class locating;

  struct entry {
    enum class state : std::uint8_t { unplaced, asked, confirmed };
    entry::state now_in = state::unplaced;
    std::uint8_t redirects = 0;           // in a row
    std::uint8_t tries = 0;               // in vain, since it was last confirmed
    subscriber_link* at = nullptr;        // not for unplaced ones
    std::uint64_t order = 0;              // of the last question
    time_point due{};                     // unplaced: not before
    std::optional<net::address> hint{};   // where MOVED points
    time_point lost_at = never;           // when it was heard last, if that was interrupted
    std::optional<error> why{};           // it is not heard
    std::shared_ptr<waiter> waits{};      // which is about to end, well or not
    bool counted = false;                 // it was confirmed since then
  };
  using entries = topic_table<entry>;

  // subscriber_link::listener
  void on_message(subscriber_link& from, const message& what) override;
  void on_confirmed(subscriber_link& by, topic_kind kind, std::string_view name, std::uint64_t order) override;
  void on_refused(subscriber_link& by, topic_kind kind, std::string_view name, std::uint64_t order,
                  std::string_view error_text) override;
  void on_taken_away(subscriber_link& by, topic_kind kind, std::string_view name) override;
  void on_lost(subscriber_link& which, const error& why) override;
  void on_batch() override { core_->pump(); }

  using work_item = std::function<void(subscriber&)>;

  void post(work_item what);
  void run_and_wait(const std::shared_ptr<waiter>& until, work_item what);

  void begin(const topics& more, const std::shared_ptr<waiter>& waits);
  void drop(topic_kind kind, std::string_view name);
  void finish(const std::shared_ptr<waiter>& waits, const error* failure);
  void interrupt(entry& which, const error& why, time_point due);
  void tell_status(const error* why);
  time_point after_pause();

  // Placing: subscriber_place.cpp.
  void wake();
  void work();
  void expire_waiters(time_point now);
  void check_places(time_point now);
  void place_all(time_point now);
  std::optional<net::address> place_for(topic_kind kind, std::string_view name, entry& which);
  subscriber_link& link_to(const net::address& where);
  node* node_for(topic_kind kind, std::string_view name);
  void locate();
  void located(const error* failure);
  void sweep();
  void arm();

  // First, so that it goes last: all else lives on its executor.
  const std::shared_ptr<core> core_;
  services& services_;
  const duration timeout_;
  subscriber_gate gate_;

  entries entries_;
  std::size_t missing_ = 0;  // entries that are not confirmed
  std::map<net::address, std::shared_ptr<subscriber_link>> links_;
  subscriber_link* plain_ = nullptr;  // the link of channels and patterns in a cluster
  std::vector<std::shared_ptr<waiter>> waiters_;
  std::uint64_t orders_ = 0;
  std::optional<error> closed_;
  redis::backoff backoff_;
  time_point pause_until_{};
  bool woken_ = false;
  std::shared_ptr<locating> locating_;
  boost::asio::steady_timer timer_;
  time_point armed_ = never;
  time_point next_check_{};

  struct status {
    std::size_t missing = 0;
    std::optional<error> why{};
  };
  mutable std::mutex status_mutex_;
  status status_;  // guarded by status_mutex_
};

}  // namespace seawall::redis
