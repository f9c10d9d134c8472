#include "seawall/source/change_capture.hpp"

#include "capture_worker.hpp"

namespace seawall {

change_capture::change_capture(capture_options how) : worker_(std::make_unique<worker>(std::move(how))) {}
change_capture::~change_capture() { stop(); }

captured_table& change_capture::table(std::string_view name) { return worker_->table(name); }
result<void> change_capture::start() { return worker_->start(); }
void change_capture::stop() { worker_->stop(); }
result<void> change_capture::drop_slot() { return worker_->drop_slot(); }
capture_stats change_capture::stats() const { return worker_->stats(); }
capture_lag change_capture::lag() const { return worker_->lag(); }

}  // namespace seawall
