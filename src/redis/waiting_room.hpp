// waiting_room: requests that wait for a moment, or for knowledge of the servers, before they go to a connection.
#pragma once

#include "services.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace seawall::redis {

/// Thread safety: none; lives on the client's executor.
class waiting_room final : public holder {
 public:
  /// `again` takes the requests that are released; `why` says what they wait for, for those whose deadline comes first.
  waiting_room(services& with, ender& ends, std::function<void(request&)> again, std::function<error(request&)> why);

  /// Until `due`, or `release_all` if that is earlier; by its deadline it ends.
  void park(request& asked, time_point due);
  void release_all();
  void fail_all(const error& why);
  bool forget(request& asked) override;
  bool empty() const noexcept { return parked_.empty(); }

 private:
  struct place {
    request* who;
    time_point due;
  };

  void arm();
  void on_timer();

  services& services_;
  ender& ends_;
  std::function<void(request&)> again_;
  std::function<error(request&)> why_;
  std::vector<place> parked_;  // in the order of arrival
  // Handlers of the timer outlive the room.
  std::shared_ptr<boost::asio::steady_timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  time_point armed_ = never;

 public:
  ~waiting_room() override { *alive_ = false; }
};

}  // namespace seawall::redis
