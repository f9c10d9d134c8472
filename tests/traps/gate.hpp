// A door in a loader that is a coroutine: the loader waits before it until the test opens it. With every coroutine on
// one io_context that the test polls, an interleaving of callers is one fixed sequence of statements.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace usual {

class gate {
 public:
  explicit gate(boost::asio::io_context& loop) : never_(loop, boost::asio::steady_timer::time_point::max()) {}

  boost::asio::awaitable<void> pass() {
    boost::system::error_code ignored;
    if (!open_) co_await never_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }
  void open() {
    open_ = true;
    never_.cancel();
  }

 private:
  boost::asio::steady_timer never_;
  bool open_ = false;
};

}  // namespace usual
