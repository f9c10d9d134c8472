// A capture that reads the server's log: logical replication from a slot.
#pragma once

#include "capture_collector.hpp"
#include "capture_frames.hpp"
#include "capture_server.hpp"
#include "capture_worker.hpp"

#include <deque>
#include <memory>

namespace seawall {

class change_capture::log_reader final : public worker {
 public:
  using worker::worker;
  result<void> drop_slot() override;

 private:
  using lsn = postgres::pgoutput::lsn;
  struct unconfirmed {
    lsn end;
    time_point received;
  };

  // log_capture.cpp: the way to a stream
  result<void> validate() const override;
  void arrange(std::shared_ptr<postgres::settings> where) override;
  result<void> prepare(bool patient) override;
  void close() override;
  void disconnect() override;
  void dismiss() override;
  result<bool> open(bool patient);
  result<bool> make_slot(bool patient);
  result<void> await_delivery();

  // capture_stream.cpp: the stream
  result<void> read() override;
  result<bool> receive();
  result<void> take(std::string_view bytes);
  result<void> look();
  void settle(const postgres::snapshot& seen);
  void confirm();
  result<void> report(bool wants_reply);
  duration patience() const;

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
};

}  // namespace seawall
