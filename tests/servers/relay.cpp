#include "servers/relay.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace seawall::servers {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Beyond this the sender feels that the receiver, or a delay, is slow.
constexpr std::size_t most_queued = std::size_t{1} << 20;
constexpr std::size_t read_size = std::size_t{64} << 10;

void end_socket(asio::ip::tcp::socket& socket, ending how) {
  error_code ignored;
  if (how == ending::reset) {
    socket.set_option(asio::socket_base::linger(true, 0), ignored);
  } else {
    // The kernel turns a close into a reset while something is unread.
    std::string unread(read_size, '\0');
    socket.non_blocking(true, ignored);
    for (error_code none; !none;) socket.read_some(asio::buffer(unread), none);
    socket.shutdown(asio::socket_base::shutdown_both, ignored);
  }
  socket.close(ignored);
}

}  // namespace

relay::relay(tcp::socket client, asio::io_context& context, faults& all, std::function<void(relay&)> on_end)
    : client_(std::move(client)),
      server_(context),
      on_end_(std::move(on_end)),
      flows_{flow{client_, server_, all[0], asio::steady_timer{context}},
             flow{server_, client_, all[1], asio::steady_timer{context}}} {}

void relay::start(std::uint16_t target) {
  const tcp::endpoint endpoint{asio::ip::address_v4::loopback(), target};
  server_.async_connect(endpoint, [self = shared_from_this()](error_code failed) {
    if (self->over_) return;
    if (failed) return self->end(ending::reset);
    error_code ignored;
    for (auto* socket : {&self->client_, &self->server_}) {
      socket->set_option(tcp::no_delay(true), ignored);
      socket->non_blocking(true, ignored);
    }
    self->connected_ = true;
    self->wake();
  });
}

void relay::wake() {
  if (!connected_) return;
  for (auto& f : flows_) {
    read(f);
    write(f);
  }
}

void relay::end_if_lossy(direction way) {
  if (flows_[static_cast<std::size_t>(way)].lossy) end(ending::reset);
}

void relay::end(ending how) {
  if (std::exchange(over_, true)) return;
  end_socket(client_, how);
  end_socket(server_, how);
  for (auto& f : flows_) f.timer.cancel();
  on_end_(*this);
}

// Waits for bytes without taking them: they are the kernel's if a hold comes meanwhile.
void relay::read(flow& f) {
  if (over_ || f.reading || f.ended || f.how.held || f.queued >= most_queued) return;
  f.reading = true;
  f.from.async_wait(tcp::socket::wait_read, [self = shared_from_this(), &f](error_code failed) {
    f.reading = false;
    if (self->over_) return;
    if (failed) return self->end(ending::reset);
    if (!f.how.held) self->take(f);
  });
}

void relay::take(flow& f) {
  std::string bytes(read_size, '\0');
  error_code failed;
  bytes.resize(f.from.read_some(asio::buffer(bytes), failed));
  if (failed == asio::error::would_block) return read(f);
  if (failed == asio::error::eof) {
    f.ended = true;
    f.lossy |= f.how.dropped;
  } else if (failed) {
    return end(ending::reset);
  } else if (f.how.dropped) {
    f.lossy = true;
  } else {
    f.queued += bytes.size();
    f.queue.push_back({std::move(bytes), 0, std::chrono::steady_clock::now() + f.how.delay});
  }
  write(f);
  read(f);
}

void relay::write(flow& f) {
  if (over_ || f.writing || f.how.held) return;
  if (f.how.dropped) {
    f.lossy |= !f.queue.empty();
    f.queue.clear();
    f.queued = 0;
    return;
  }
  if (f.queue.empty()) return pass_end(f);
  if (f.how.left == 0U) {
    f.how.left.reset();
    return end(f.how.cut);
  }
  if (f.queue.front().due <= std::chrono::steady_clock::now()) return write_front(f);
  f.writing = true;
  f.timer.expires_at(f.queue.front().due);
  f.timer.async_wait([self = shared_from_this(), &f](error_code) {
    f.writing = false;
    self->write(f);
  });
}

// Writes what the kernel takes at once, and goes on from the event loop, so that controls come between any two writes.
void relay::write_front(flow& f) {
  auto& front = f.queue.front();
  std::size_t size = front.bytes.size() - front.done;
  if (f.how.slice != 0) size = std::min(size, f.how.slice);
  if (f.how.left) size = static_cast<std::size_t>(std::min<std::uint64_t>(size, *f.how.left));
  error_code failed;
  size = f.to.write_some(asio::buffer(front.bytes.data() + front.done, size), failed);
  if (failed && failed != asio::error::would_block) return end(ending::reset);
  f.how.forwarded += size;
  if (f.how.left && (*f.how.left -= size) == 0) {
    f.how.left.reset();
    return end(f.how.cut);
  }
  f.queued -= size;
  front.done += size;
  if (front.done == front.bytes.size()) f.queue.pop_front();
  f.writing = true;
  auto next = [self = shared_from_this(), &f](error_code = {}) {
    f.writing = false;
    self->write(f);
    self->read(f);
  };
  if (failed) {
    f.to.async_wait(tcp::socket::wait_write, std::move(next));
  } else {
    asio::post(f.to.get_executor(), std::move(next));
  }
}

void relay::pass_end(flow& f) {
  if (!f.ended || f.shut) return;
  f.shut = true;
  error_code ignored;
  f.to.shutdown(asio::socket_base::shutdown_send, ignored);
  if (flows_[0].shut && flows_[1].shut) end(ending::close);
}

}  // namespace seawall::servers
