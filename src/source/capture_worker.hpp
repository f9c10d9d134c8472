// The thread behind a change_capture: sets up, reads, invalidates, and begins again. How it reads is up to the mode:
// log_reader (log_capture.hpp), queue_reader (queue_capture.hpp).
#pragma once

#include "capture_link.hpp"
#include "capture_steps.hpp"
#include "seawall/source/change_capture.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace seawall {

class change_capture::worker : public counter_source {
 public:
  explicit worker(capture_options how) : how_(std::move(how)) {}
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  /// After `stop`.
  ~worker() override = default;

  captured_table& table(std::string_view name) { return tables_[postgres::full_name(name)]; }
  result<void> start();
  void stop();
  virtual result<void> drop_slot() = 0;
  capture_stats stats() const;
  capture_lag lag() const;
  counter_set counters() const override;

 protected:
  // What a mode does. All but `validate` on the thread, or before there is one.
  virtual result<void> validate() const;
  /// Makes what talks to the server.
  virtual void arrange(std::shared_ptr<postgres::settings> where) = 0;
  /// Up to what `read` needs, if it is not there. Not patient: up to where the shared tier would have to be waited for.
  virtual result<void> prepare(bool patient) = 0;
  /// Until it is stopped, or fails.
  virtual result<void> read() = 0;
  virtual void close() = 0;
  /// After a failure: all that is open.
  virtual void disconnect() = 0;
  /// What `arrange` has made.
  virtual void dismiss() = 0;

  static std::unexpected<error> refuse(std::string_view field, std::string_view what);
  result<std::shared_ptr<postgres::settings>> where() const;
  void wait(duration most) { postgres::wait_for_either(-1, wake_, most); }
  /// Also does what is owed. On the thread.
  bool delivered();
  bool reached_tiers() const;
  void begin_reading();
  void apply(postgres::captured_commit& commit);
  void clear_all();
  void say(log_level level, std::string_view text) const;

  const capture_options how_;
  postgres::captured_tables tables_;
  std::vector<std::move_only_function<bool()>> owed_;  // of the thread: what the shared tier has failed at
  postgres::wake_up wake_;
  std::atomic<bool> stopping_{false};

  mutable std::mutex figures_;
  capture_stats stats_;        // guarded by figures_
  capture_lag lag_;            // guarded by figures_: without the age
  time_point oldest_ = never;  // guarded by figures_

 private:
  /// False: to be done again.
  bool attempt(std::move_only_function<bool()>& invalidation);
  void work();
  void failed(const error& why);

  std::mutex life_;     // start and stop
  std::thread thread_;  // guarded by life_
};

}  // namespace seawall
