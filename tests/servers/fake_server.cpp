#include "servers/fake_server.hpp"
#include "servers/ports.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

namespace seawall::servers {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// "<type><number>\r\n" at the front: the number, and the bytes are taken away.
std::optional<std::size_t> take_count(std::string_view& bytes, char type, bool& wrong) {
  std::size_t count = 0;
  wrong = !bytes.empty() && bytes[0] != type;
  const auto end = bytes.find("\r\n");
  if (wrong || end == std::string_view::npos) return std::nullopt;
  const auto [rest, failed] = std::from_chars(bytes.data() + 1, bytes.data() + end, count);
  wrong = failed != std::errc{} || rest != bytes.data() + end;
  bytes.remove_prefix(end + 2);
  return wrong ? std::nullopt : std::optional{count};
}

// The first command of `buffer`, which it takes away; std::nullopt if more bytes are needed.
std::optional<arguments> take_command(std::string& buffer) {
  std::string_view left = buffer;
  bool wrong = false;
  arguments command;
  auto count = take_count(left, '*', wrong);
  for (std::size_t i = 0; count && i < *count; ++i) {
    const auto size = take_count(left, '$', wrong);
    if (!size || left.size() < *size + 2) {
      count.reset();
    } else {
      command.emplace_back(left.substr(0, *size));
      left.remove_prefix(*size + 2);
    }
  }
  if (wrong) return arguments{std::exchange(buffer, {})};
  if (!count) return std::nullopt;
  buffer.erase(0, buffer.size() - left.size());
  return command;
}

}  // namespace

struct fake_server::state {
  state(handler command, greeting connect) : on_command(std::move(command)), on_connect(std::move(connect)) {}

  void accept();

  template <class Call>
  auto on_thread(Call call) {
    std::packaged_task<decltype(call())()> task{[&] { return call(); }};
    auto done = task.get_future();
    asio::post(context, std::move(task));
    return done.get();
  }

  handler on_command;
  greeting on_connect;
  reserved_port port = reserve_port();
  std::vector<arguments> received;
  std::size_t accepted = 0;
  asio::io_context context{1};
  tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), port.number()}};
  std::set<std::shared_ptr<session>> sessions;
  std::thread thread;
};

class fake_server::session : public fake_connection, public std::enable_shared_from_this<session> {
 public:
  session(state& all, tcp::socket socket, std::size_t number)
      : all_(all), socket_(std::move(socket)), timer_(all.context) {
    number_ = number;
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
  }

  void start() {
    if (all_.on_connect) send(all_.on_connect(*this));
    read();
  }

  void send(std::string_view bytes) override {
    unsent_ += bytes;
    write();
  }
  void slice(std::size_t bytes) override { slice_ = bytes; }
  void close() override {
    last_ = true;
    write();
  }
  void reset() override {
    reset_ = true;
    close();
  }

  void end() {
    if (!socket_.is_open()) return;
    error_code ignored;
    if (reset_) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
    timer_.cancel();
    all_.sessions.erase(shared_from_this());
  }

 private:
  void read() {
    if (last_ || !socket_.is_open()) return;
    socket_.async_read_some(asio::buffer(space_), [self = shared_from_this()](error_code failed, std::size_t size) {
      if (failed) return self->end();
      self->unread_.append(self->space_.data(), size);
      while (!self->last_ && !self->unread_.empty()) {
        const auto command = take_command(self->unread_);
        if (!command) break;
        ++self->commands_;
        self->all_.received.push_back(*command);
        const std::string answer = self->all_.on_command(*self, *command);
        // After a close in the handler, too: its answer goes before the end.
        self->send(answer);
      }
      self->read();
    });
  }

  // From the event loop, so that what one handler sends, returns and closes makes one write.
  void write() {
    if (std::exchange(writing_, true)) return;
    asio::post(all_.context, [self = shared_from_this()] { self->write_some(); });
  }

  void write_some() {
    if (!socket_.is_open()) return;
    if (unsent_.empty()) {
      writing_ = false;
      if (last_) end();
      return;
    }
    const std::size_t size = slice_ == 0 ? unsent_.size() : std::min(slice_, unsent_.size());
    sending_ = unsent_.substr(0, size);
    unsent_.erase(0, size);
    asio::async_write(socket_, asio::buffer(sending_), [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed) return self->end();
      if (self->slice_ == 0 || self->unsent_.empty()) return self->write_some();
      self->timer_.expires_after(std::chrono::milliseconds{1});
      self->timer_.async_wait([self](error_code) { self->write_some(); });
    });
  }

  state& all_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  std::array<char, 16'384> space_;
  std::string unread_;
  std::string unsent_;
  std::string sending_;
  std::size_t slice_ = 0;
  bool writing_ = false;
  bool last_ = false;
  bool reset_ = false;
};

void fake_server::state::accept() {
  acceptor.async_accept([this](error_code failed, tcp::socket socket) {
    if (failed) return;
    auto next = std::make_shared<session>(*this, std::move(socket), accepted++);
    sessions.insert(next);
    next->start();
    accept();
  });
}

fake_server::fake_server(handler on_command, greeting on_connect)
    : state_(std::make_unique<state>(std::move(on_command), std::move(on_connect))) {
  state_->accept();
  state_->thread = std::thread{[this] { state_->context.run(); }};
}

fake_server::~fake_server() {
  state_->context.stop();
  state_->thread.join();
  // A session holds on to the state; what waits in the context holds on to the session.
  for (const auto& each : std::set{state_->sessions}) each->end();
}

std::uint16_t fake_server::port() const noexcept { return state_->port; }

std::vector<arguments> fake_server::received() const {
  return state_->on_thread([this] { return state_->received; });
}
std::size_t fake_server::accepted() const {
  return state_->on_thread([this] { return state_->accepted; });
}
std::size_t fake_server::open() const {
  return state_->on_thread([this] { return state_->sessions.size(); });
}

void fake_server::broadcast(std::string bytes) {
  state_->on_thread([&] {
    for (const auto& each : state_->sessions) each->send(bytes);
  });
}

void fake_server::close_all() {
  state_->on_thread([this] {
    for (const auto& each : std::set{state_->sessions}) each->end();
  });
}

}  // namespace seawall::servers
