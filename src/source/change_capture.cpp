#include "seawall/source/change_capture.hpp"

#include "log_capture.hpp"
#include "queue_capture.hpp"

namespace seawall {

std::shared_ptr<change_capture::worker> change_capture::make_worker(capture_options how) {
  if (how.mode == capture_mode::trigger) return std::make_shared<queue_reader>(std::move(how));
  return std::make_shared<log_reader>(std::move(how));
}

change_capture::change_capture(capture_options how) : worker_(make_worker(std::move(how))) {}
change_capture::~change_capture() { stop(); }

captured_table& change_capture::table(std::string_view name) { return worker_->table(name); }
result<void> change_capture::start() { return worker_->start(); }
void change_capture::stop() { worker_->stop(); }
result<void> change_capture::drop_slot() { return worker_->drop_slot(); }
capture_stats change_capture::stats() const { return worker_->stats(); }
capture_lag change_capture::lag() const { return worker_->lag(); }
std::shared_ptr<const counter_source> change_capture::stats_handle() const { return worker_; }

}  // namespace seawall
