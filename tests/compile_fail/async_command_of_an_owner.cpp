// expect-error: a command is moved into the operation: pass std::move(command)
#include <seawall/cmd.hpp>
#include <seawall/cmd/async.hpp>

#include <boost/asio/detached.hpp>

#include <cstdint>
#include <utility>

// Neither of a pipeline nor of a transaction is a command taken that its owner keeps.
void count(seawall::cmd::target& redis, seawall::cmd::command<std::int64_t> kept) {
  using namespace seawall::cmd;
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  async_run(redis, incr("a"), incr("b"), std::move(kept), boost::asio::detached);
  async_transaction(redis, incr("a"), incr("b"), boost::asio::detached);
#else
  async_run(redis, incr("a"), incr("b"), kept, boost::asio::detached);
#endif
}
