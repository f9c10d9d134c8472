#include "seawall/redis/session.hpp"

#include "core.hpp"
#include "seawall/redis/client.hpp"
#include "session_link.hpp"

#include <boost/asio/post.hpp>

#include <string>
#include <utility>

namespace seawall::redis {

session::session(std::shared_ptr<link> made) noexcept : link_(std::move(made)) {}
session::session(session&&) noexcept = default;
session& session::operator=(session&& other) noexcept {
  std::swap(link_, other.link_);
  return *this;
}
session::~session() {
  if (link_) link_->close();
}

cmd::target& session::target() noexcept { return *link_; }
void session::close() { link_->close(); }

session::link::link(std::shared_ptr<redis::core> with, std::string key)
    : core_(std::move(with)), key_(std::move(key)), command_{"EXISTS", key_},
      room_(core_->shared(), *core_, [this](request& asked) { route(asked); },
            [](request&) { return error{errc::timed_out, "the session's server is not known yet"}; }) {
  place_.bytes = command_.bytes();
  place_.traits.first_key = key_.empty() ? 0 : 1;
  place_.traits.last_key = place_.traits.first_key;
}

void session::link::submit_all(request& first) {
  for (request* one = &first; one; one = one->next) one->book.lane = static_cast<lane*>(this);
  core_->submit_all(first);
}

void session::link::submit(request& asked) {
  asked.next = nullptr;
  submit_all(asked);
}

void session::link::close() {
  // Behind the requests that were submitted before.
  boost::asio::post(core_->executor(), [self = shared_from_this()] {
    self->core_->pump();
    self->closed_ = true;
    const error why{errc::closed, "the session is closed"};
    self->room_.fail_all(why);
    if (self->connection_) self->connection_->close(why);
  });
  if (core_->own_loop()) core_->own_loop()->nudge();
}

void session::link::route(request& asked) {
  if (closed_) {
    const error why{errc::closed, "the session is closed"};
    return core_->end(asked, &why);
  }
  if (!connection_) {
    node* const where = core_->router().node_for(place_);
    if (!where) {
      const auto again = after(core_->shared().clock->now(), std::chrono::milliseconds{10});
      return room_.park(asked, again);
    }
    connection_ = where->make_private(*this);
  }
  connection_->submit(asked);
}

session client::open_session(std::string_view key) {
  return session{std::make_shared<session::link>(core(), std::string{key})};
}

}  // namespace seawall::redis
