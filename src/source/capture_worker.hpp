// The thread behind a change_capture: sets up, reads the stream, invalidates, confirms, and begins again.
#pragma once

#include "capture_collector.hpp"
#include "capture_frames.hpp"
#include "capture_link.hpp"
#include "capture_server.hpp"
#include "seawall/source/change_capture.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace seawall {

class change_capture::worker {
 public:
  explicit worker(capture_options how) : how_(std::move(how)) {}

  captured_table& table(std::string_view name) { return tables_[postgres::full_name(name)]; }
  result<void> start();
  void stop();
  result<void> drop_slot();
  capture_stats stats() const;
  capture_lag lag() const;

 private:
  using lsn = postgres::pgoutput::lsn;
  struct unconfirmed {
    lsn end;
    time_point received;
  };

  // capture_worker.cpp: its life, and the way to a stream
  result<void> validate() const;
  void work();
  result<bool> prepare(bool patient);
  result<bool> make_slot(bool patient);
  result<void> await_delivery();
  bool delivered() const;
  void clear_all();
  void failed(const error& why);
  void say(log_level level, std::string_view text) const;

  // capture_stream.cpp: the stream
  result<void> stream();
  result<bool> read();
  result<void> take(std::string_view bytes);
  result<void> look();
  void settle(const postgres::snapshot& seen);
  void apply(postgres::captured_commit& commit);
  void confirm();
  result<void> report(bool wants_reply);
  duration patience() const;

  const capture_options how_;
  postgres::captured_tables tables_;
  postgres::wake_up wake_;
  std::atomic<bool> stopping_{false};
  std::mutex life_;     // start and stop
  std::thread thread_;  // guarded by life_

  // Of the thread, or of start before there is one.
  std::unique_ptr<postgres::capture_server> server_;
  std::unique_ptr<postgres::replication_link> link_;
  std::unique_ptr<postgres::change_collector> collector_;
  bool anew_ = false;       // what the slot has is to be given up
  bool temporary_ = false;  // the new slot is there, and the caches are cleared
  std::deque<postgres::captured_commit> pending_;  // not yet seen by others
  std::size_t pending_steps_ = 0;
  std::deque<unconfirmed> unconfirmed_;
  lsn received_ = 0;
  lsn settled_ = 0;    // everything before it is invalidated
  lsn confirmed_ = 0;  // and delivered
  lsn idle_ = 0;       // before it no change is under way
  bool reply_ = false;
  time_point heard_{};
  time_point next_status_{};
  duration pause_{};   // before others' view is looked at again

  mutable std::mutex figures_;
  capture_stats stats_;            // guarded by figures_
  std::uint64_t behind_ = 0;       // guarded by figures_
  time_point oldest_ = never;      // guarded by figures_
};

}  // namespace seawall
