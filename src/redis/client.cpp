#include "seawall/redis/client.hpp"

#include "core.hpp"
#include "seawall/cmd/raw.hpp"

namespace seawall::redis {

// The client's I/O holds the core; this holds what the user holds.
struct client::handle {
  explicit handle(std::shared_ptr<redis::core> made) : core(std::move(made)), counted(core->make_stats_handle()) {}
  ~handle() { core->close(); }
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;

  std::shared_ptr<redis::core> core;
  std::shared_ptr<const counter_source> counted;
};

result<client> client::connect(options how) {
  auto made = core::make(std::move(how));
  if (!made) return std::unexpected(made.error());
  return client{std::make_shared<handle>(std::move(*made))};
}

const std::shared_ptr<redis::core>& client::core() const noexcept { return handle_->core; }

cmd::target& client::target() noexcept { return *handle_->core; }

result<resp::value> client::command(std::initializer_list<std::string_view> words) {
  return command(std::span<const std::string_view>{words.begin(), words.size()});
}

result<resp::value> client::command(std::span<const std::string_view> words) { return run(cmd::raw(words)); }

result<void> client::check() {
  const auto answer = run(cmd::raw("PING"));
  if (!answer) return std::unexpected(answer.error());
  return {};
}

const options& client::configuration() const noexcept { return handle_->core->configuration(); }
redis::capabilities client::capabilities() const { return handle_->core->capabilities(); }
redis::stats client::stats() const { return handle_->core->read_stats(); }
void client::refresh_topology() const { handle_->core->refresh_topology(); }
std::shared_ptr<const counter_source> client::stats_handle() const { return handle_->counted; }
boost::asio::any_io_executor client::get_executor() const { return handle_->core->executor(); }
void client::close() { handle_->core->close(); }

}  // namespace seawall::redis
