// sentinel_watch: keeps asking the sentinels which server is the primary, and listens to what they tell.
#pragma once

#include "backoff.hpp"
#include "sentinel_link.hpp"
#include "sentinel_resolve.hpp"

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace seawall::redis {

/// One round of questions at a time. While the primary serves, a round starts every `period` (less up to a quarter of
/// it at random), since a message may be lost; while it does not, by the client's backoff, `most_pause` at most; and
/// soon after each hint. A sentinel has `patience` (or the connect timeout, if that is shorter) to answer.
/// Nothing connects before the first call. Thread safety: none; lives on the client's executor.
class sentinel_watch final : private sentinel_link::listener {
 public:
  static constexpr duration period = std::chrono::seconds{10};
  static constexpr duration patience = std::chrono::seconds{1};
  static constexpr duration most_pause = std::chrono::milliseconds{500};
  static constexpr duration least_gap = std::chrono::milliseconds{20};  // from one round's start to the next one's

  /// Hears how rounds end. A call may call the watch, but not destroy it.
  class listener {
   public:
    virtual ~listener() = default;
    virtual void on_found(const sentinel_view& primary, time_point asked_at) = 0;
    virtual void on_undecided(const error& why) = 0;
    virtual void on_unknown_name(const error& why) = 0;
  };

  sentinel_watch(services& with, listener& who);
  ~sentinel_watch() override;
  sentinel_watch(const sentinel_watch&) = delete;
  sentinel_watch& operator=(const sentinel_watch&) = delete;

  /// Something may have changed: a round soon.
  void hint();
  /// The primary serves, or does not any more.
  void set_settled(bool settled);
  void close();

  /// What each sentinel said last, for people.
  std::string account() const;

 private:
  // sentinel_link::listener
  void on_answer(sentinel_link& from, result<sentinel_answer> says) override;
  void on_hint() override { hint(); }

  sentinel_link& link(const net::address& where);
  void begin();
  void advance();
  void finish();
  void arm(time_point at);

  services& services_;
  listener& listener_;
  std::map<net::address, std::unique_ptr<sentinel_link>> links_;
  std::optional<sentinel_resolve> round_;  // under way
  bool advancing_ = false;
  bool again_ = false;                     // a hint came during the round
  bool settled_ = false;
  bool closed_ = false;
  std::optional<time_point> began_;
  std::vector<net::address> known_;        // sentinels, by the last round that found a primary
  std::string last_account_;
  redis::backoff backoff_;
  // Handlers of the timer outlive the watch.
  std::shared_ptr<boost::asio::steady_timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  time_point armed_ = never;
};

}  // namespace seawall::redis
