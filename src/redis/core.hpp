// core: a client's inside: takes requests from any thread to the client's executor, and ends each of them once.
#pragma once

#include "client_counters.hpp"
#include "router.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/net/handler_memory.hpp"
#include "seawall/net/loop.hpp"

#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

namespace seawall::redis {

/// What lives on a client's executor beside its requests, and ends with the client: a subscription.
class dependent {
 public:
  virtual ~dependent() = default;
  virtual void on_close(const error& why) = 0;
};

/// The members of cmd::target and those marked so may be called from any thread; the rest on the executor.
class core final : public cmd::target, public router_host, public std::enable_shared_from_this<core> {
 public:
  static result<std::shared_ptr<core>> make(options how);
  ~core() override;

  // cmd::target
  void submit(request& asked) override;
  void submit_all(request& first) override;
  void cancel(request& asked) override;
  void wait(const std::atomic<bool>& done) override;
  void hurry() noexcept override;
  duration default_timeout() const noexcept override { return services_.options.command_timeout; }

  // router_host
  services& shared() override { return services_; }
  void pump() override;
  void end(request& asked, const error* failure) override;

  /// Any thread: ends all requests, those to come included. Waits for that, unless on the executor.
  void close();
  /// Any thread: see client.
  void refresh_topology();
  /// Any thread.
  stats read_stats() const noexcept { return services_.counters.read(); }
  /// Any thread: what stays readable when the core is gone.
  std::shared_ptr<const counter_source> make_stats_handle() const {
    return std::make_shared<const client_counters>(services_.options.client_name, services_.counted);
  }

  /// Any thread.
  const redis::options& configuration() const noexcept { return services_.options; }
  /// Any thread.
  redis::capabilities capabilities() {
    const std::lock_guard lock{services_.found_mutex};
    return services_.found;
  }
  boost::asio::any_io_executor executor() const { return services_.executor; }

  /// Any thread: whether it is the executor's at this moment.
  bool running_here() noexcept;
  /// Any thread: whether it would wait for itself in a blocking call. As `running_here`, or it runs another handler of
  /// the context that the client was given.
  bool must_not_wait() noexcept;

  /// Tells it when the client is closed; at once if it is.
  void attach(const std::shared_ptr<dependent>& one);

  redis::router& router() noexcept { return *router_; }
  net::loop* own_loop() noexcept { return loop_.get(); }

 private:
  core(options how, endpoint where, net::connect_options connecting);
  static void destroy(core* which);

  // Bits of request::book.state.
  static constexpr std::uint8_t cancel_wanted = 1;
  static constexpr std::uint8_t ended = 2;

  void start_clock(request& asked, time_point now) noexcept;
  enum class then : std::uint8_t { waits, sends, goes };  // what the thread does that has submitted something
  void wake(then caller);
  void refuse_to_wait(request& first);
  void take_submissions();
  void withdraw(request* newest);

  std::unique_ptr<net::loop> loop_;  // none: the user runs the executor
  services services_;
  std::unique_ptr<redis::router> router_;

  std::atomic<request*> submitted_{nullptr};  // newest first
  std::atomic<request*> cancelled_{nullptr};
  net::handler_memory wake_memory_;
  std::atomic<bool> closed_{false};
  bool pumping_ = false;
  std::vector<std::weak_ptr<dependent>> dependents_;
  // Ended, but a cancellation that was begun before has not arrived.
  std::unordered_map<request*, std::optional<error>> lingering_;
};

}  // namespace seawall::redis
