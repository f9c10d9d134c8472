#include "servers/tcp_proxy.hpp"
#include "servers/ports.hpp"
#include "servers/relay.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <set>
#include <thread>
#include <utility>

namespace seawall::servers {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct tcp_proxy::state {
  explicit state(std::uint16_t to) : target(to) {
    listen();
    thread = std::thread{[this] { context.run(); }};
  }

  ~state() {
    asio::post(context, [this] {
      acceptor.close();
      end_all(ending::reset);
      context.stop();
    });
    thread.join();
  }

  void listen() {
    if (acceptor.is_open()) return;
    acceptor = tcp::acceptor{context, {asio::ip::address_v4::loopback(), port.number()}};
    accept_next();
  }

  void accept_next() {
    acceptor.async_accept([this](error_code failed, tcp::socket client) {
      if (failed) return;  // closed
      ++accepted;
      auto next = std::make_shared<relay>(std::move(client), context, how, [this](relay& ended) { forget(ended); });
      relays.insert(next);
      next->start(target);
      accept_next();
    });
  }

  void forget(relay& ended) { relays.erase(ended.shared_from_this()); }

  // Of a copy: a relay that ends leaves the set.
  template <class Call>
  void for_all(Call call) {
    for (const auto& each : std::set{relays}) call(*each);
  }

  void end_all(ending with) {
    for_all([with](relay& each) { each.end(with); });
  }

  flow_faults& of(direction way) { return how[static_cast<std::size_t>(way)]; }

  template <class Change>
  void change(direction way, Change what) {
    what(of(way));
    for_all([](relay& each) { each.wake(); });
  }

  void release(direction way) {
    if (std::exchange(of(way).dropped, false)) {
      for_all([way](relay& each) { each.end_if_lossy(way); });
    }
    change(way, [](flow_faults& f) { f.held = false; });
  }

  reserved_port port = reserve_port();
  std::uint16_t target;
  faults how;
  std::size_t accepted = 0;
  asio::io_context context{1};
  // There is nothing to wait for while connections are refused.
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  tcp::acceptor acceptor{context};
  std::set<std::shared_ptr<relay>> relays;
  std::thread thread;
};

template <class Change>
auto tcp_proxy::on_thread(Change change) const {
  std::packaged_task<decltype(change(*state_))()> task{[&] { return change(*state_); }};
  auto done = task.get_future();
  asio::post(state_->context, std::move(task));
  return done.get();
}

tcp_proxy::tcp_proxy(std::uint16_t target) : state_(std::make_unique<state>(target)) {}
tcp_proxy::~tcp_proxy() = default;

std::uint16_t tcp_proxy::port() const noexcept { return state_->port; }

void tcp_proxy::retarget(std::uint16_t target) {
  on_thread([=](state& s) { s.target = target; });
}

void tcp_proxy::hold(direction way) {
  on_thread([=](state& s) { s.of(way).held = true; });
}
void tcp_proxy::hold() {
  hold(direction::to_server);
  hold(direction::to_client);
}

void tcp_proxy::drop(direction way) {
  on_thread([=](state& s) { s.change(way, [](flow_faults& f) { f.dropped = true; }); });
}
void tcp_proxy::drop() {
  drop(direction::to_server);
  drop(direction::to_client);
}

void tcp_proxy::release(direction way) {
  on_thread([=](state& s) { s.release(way); });
}
void tcp_proxy::release() {
  release(direction::to_server);
  release(direction::to_client);
}

void tcp_proxy::delay(direction way, std::chrono::milliseconds by) {
  on_thread([=](state& s) { s.of(way).delay = by; });
}
void tcp_proxy::delay(std::chrono::milliseconds by) {
  delay(direction::to_server, by);
  delay(direction::to_client, by);
}

void tcp_proxy::slice(direction way, std::size_t bytes) {
  on_thread([=](state& s) { s.of(way).slice = bytes; });
}

void tcp_proxy::cut_after(direction way, std::uint64_t bytes, ending how) {
  on_thread([=](state& s) {
    s.of(way).left = bytes;
    s.of(way).cut = how;
  });
}

void tcp_proxy::reset() {
  on_thread([](state& s) { s.end_all(ending::reset); });
}
void tcp_proxy::close() {
  on_thread([](state& s) { s.end_all(ending::close); });
}
void tcp_proxy::refuse() {
  on_thread([](state& s) { s.acceptor.close(); });
}
void tcp_proxy::accept() {
  on_thread([](state& s) { s.listen(); });
}

std::size_t tcp_proxy::accepted() const {
  return on_thread([](state& s) { return s.accepted; });
}
std::size_t tcp_proxy::open() const {
  return on_thread([](state& s) { return s.relays.size(); });
}
std::uint64_t tcp_proxy::bytes(direction way) const {
  return on_thread([=](state& s) { return s.of(way).forwarded; });
}

}  // namespace seawall::servers
