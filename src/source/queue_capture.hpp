// A capture that reads a queue, which triggers fill.
#pragma once

#include "capture_queue.hpp"
#include "capture_worker.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace seawall {

class change_capture::queue_reader final : public worker {
 public:
  using worker::worker;
  result<void> drop_slot() override;

 private:
  result<void> validate() const override;
  void arrange(std::shared_ptr<postgres::settings> where) override;
  result<void> prepare(bool patient) override;
  result<void> read() override;
  void close() override {}
  void disconnect() override;
  void dismiss() override { queue_.reset(); }

  result<bool> pass();
  void invalidate(const std::vector<postgres::queued_change>& all);
  bool collect(const postgres::queued_change& one);
  result<void> look();
  void await();
  void note(const postgres::capture_queue::measure& now);

  // Of the thread, or of start before there is one.
  std::unique_ptr<postgres::capture_queue> queue_;
  std::unique_ptr<postgres::step_collector> steps_;
  bool ready_ = false;
  std::vector<std::int64_t> taken_;  // invalidated, and still in the queue
  time_point next_look_{};
  time_point next_emptying_ = time_point::min();
};

}  // namespace seawall
