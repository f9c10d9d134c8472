// How a connection is made: to the address, through the greeting, to where requests flow.
#include "connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace seawall::redis {
namespace {

using boost::system::error_code;

// Another attempt would fail, too.
bool is_hopeless(const error& why) {
  return why.code() == net::connect_errc::tls_name_mismatch || why.code() == net::connect_errc::tls_untrusted;
}

}  // namespace

void connection::open() {
  if (state_ == state::idle) connect();
}

void connection::connect() {
  state_ = state::connecting;
  reconnect_at_ = never;
  greeted_by_ = after(services_.clock->now(), services_.options.connect_timeout);
  attempt_ = net::connect(services_.executor, address_, services_.connecting,
                          [self = shared_from_this()](result<std::unique_ptr<net::stream>> made) {
                            self->connected(std::move(made));
                          });
}

void connection::connected(result<std::unique_ptr<net::stream>> made) {
  attempt_ = nullptr;
  if (!made) return lost(made.error(), is_hopeless(made.error()));
  stream_ = std::move(*made);
  state_ = state::greeting;
  const auto& login = services_.endpoint;
  const tracking_mode mode = services_.options.tracking_mode;
  const bool broadcast = settings_.tracking && mode == tracking_mode::broadcast;
  handshake_.emplace(greeting{.address = address_.text(),
                              .user = settings_.login ? login.user : std::string{},
                              .password = settings_.login ? login.password : std::string{},
                              .client_name = services_.options.client_name,
                              .database = login.database,
                              .tracking = settings_.tracking && mode != tracking_mode::connections,
                              .broadcast = broadcast,
                              .prefixes = broadcast ? services_.options.tracking->prefixes()
                                                    : std::vector<std::string>{},
                              .read_only = settings_.read_only,
                              .must_be_primary = settings_.must_be_primary,
                              .sentinel = settings_.sentinel});
  greeting_scanner_.reset();
  greeting_in_.clear();
  greeting_sent_ = 0;
  write_blocked_ = false;
  liveness_.heard(services_.clock->now());
  arm();
  write_greeting();
  if (state_ == state::greeting) stream_->wait_readable(self_events());
}

void connection::write_greeting() {
  while (greeting_sent_ < handshake_->bytes().size()) {
    error_code failed;
    const auto rest = handshake_->bytes().substr(greeting_sent_);
    const std::size_t n = stream_->try_write({rest.data(), rest.size()}, failed);
    if (failed) return lost(broken(failed));
    if (n == 0) return stream_->wait_writable(self_events());
    greeting_sent_ += n;
  }
}

void connection::read_greeting() {
  std::array<char, 16384> piece;
  error_code failed;
  std::size_t n = 0;
  while (state_ == state::greeting && (n = stream_->try_read(piece, failed)) != 0) {
    greeting_in_.append(piece.data(), n);
    std::string_view rest = greeting_in_;
    while (state_ == state::greeting && !rest.empty()) {
      const auto length = greeting_scanner_.scan(rest);
      if (!length) {
        return lost(error{length.error().code(), address_.text() + ": " + length.error().message()}, true);
      }
      if (*length == 0) break;
      const std::string_view frame = rest.substr(0, *length);
      rest.remove_prefix(*length);
      heed_greeting(frame);
    }
    if (state_ == state::ready) return became_ready(rest);
    if (state_ == state::greeting) greeting_in_.erase(0, greeting_in_.size() - rest.size());
  }
  if (state_ != state::greeting) return;
  if (failed) return lost(broken(failed));
  stream_->wait_readable(self_events());
}

void connection::heed_greeting(std::string_view frame) {
  switch (const resp::view reply{frame}; handshake_->on_reply(reply)) {
    case handshake::state::going_on: return;
    case handshake::state::ready: state_ = state::ready; return;
    case handshake::state::failed: return lost(handshake_->failure());
    case handshake::state::refused: return lost(handshake_->failure(), true);
  }
}

void connection::became_ready(std::string_view rest) {
  backoff_.reset();
  last_failure_.reset();
  refused_ = false;
  capabilities_ = handshake_->found();
  client_id_ = handshake_->client_id();
  if (!settings_.sentinel) {
    const std::lock_guard lock{services_.found_mutex};
    services_.found = capabilities_;
  }
  const std::string leftover{rest};
  handshake_.reset();
  greeting_in_ = {};
  ++services_.generations;
  generation_ = services_.generations;
  services_.counters.connects.add();
  services_.log(log_level::info, "{}: connected", address_.text());
  liveness_.heard(services_.clock->now());
  mux_.set_generation(settings_.tracking ? generation_ : 0);
  if (settings_.tracking) {
    announced_ = true;
    services_.options.tracking->on_tracking(generation_);
  }
  owner_.on_ready(*this);
  if (!leftover.empty()) {
    const auto space = mux_.read_space();
    std::copy(leftover.begin(), leftover.end(), space.begin());
    if (const auto taken = mux_.received(leftover.size()); !taken) return lost(taken.error());
  }
  flush();
  if (state_ == state::ready) stream_->wait_readable(self_events());
  arm();
}

}  // namespace seawall::redis
