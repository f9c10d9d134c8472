#include "node.hpp"

#include "seawall/base/hash.hpp"
#include "seawall/cmd/error.hpp"

#include <algorithm>

namespace seawall::redis {

node::node(services& with, ender& ends, connection_owner& owner, net::address to, const connection::settings& how)
    : services_(with), ends_(ends), owner_(owner), address_(std::move(to)), settings_(how) {
  for (int i = 0; i < with.options.connections; ++i) {
    shared_.push_back(std::make_shared<connection>(with, ends, owner, address_, how));
  }
}

connection& node::shared_for(const request& asked) {
  if (shared_.size() == 1) return *shared_.front();
  const std::string_view key = first_key(asked);
  // The same key goes the same way, so that its commands keep their order.
  return *shared_[hash_bytes(key.data(), key.size()) % shared_.size()];
}

connection* node::free_dedicated() {
  const auto closed = [](const auto& one) { return one->now_in() == connection::state::closed; };
  std::erase_if(dedicated_, closed);
  const auto found = std::find_if(dedicated_.begin(), dedicated_.end(), [](const auto& one) { return one->idle(); });
  if (found != dedicated_.end()) return found->get();
  if (dedicated_.size() >= static_cast<std::size_t>(services_.options.max_dedicated)) return nullptr;
  auto plain = settings_;
  plain.tracking = false;
  dedicated_.push_back(std::make_shared<connection>(services_, ends_, owner_, address_, plain));
  return dedicated_.back().get();
}

void node::submit(request& asked, bool asking) {
  if (!asked.traits.blocking) return shared_for(asked).submit(asked, asking);
  if (connection* own = free_dedicated()) return own->submit(asked, asking);
  const error why{cmd::errc::queue_full, fmt::format("{}: {} blocking commands run already (max_dedicated)",
                                                     address_.text(), services_.options.max_dedicated)};
  ends_.end(asked, &why);
}

void node::open() {
  for (const auto& one : shared_) one->open();
}

void node::close(const error& why) {
  for (const auto* kind : {&shared_, &dedicated_}) {
    for (const auto& one : *kind) one->close(why);
  }
}

std::vector<request*> node::retire(const error& why) {
  std::vector<request*> all;
  for (const auto* kind : {&shared_, &dedicated_}) {
    for (const auto& one : *kind) {
      const auto some = one->retire(why);
      all.insert(all.end(), some.begin(), some.end());
    }
  }
  return all;
}

bool node::ready() const noexcept {
  return std::ranges::any_of(shared_, [](const auto& one) { return one->now_in() == connection::state::ready; });
}

bool node::idle() const noexcept {
  const auto is_idle = [](const auto& one) { return one->idle(); };
  return std::ranges::all_of(shared_, is_idle) && std::ranges::all_of(dedicated_, is_idle);
}

bool node::owns(const connection& one) const noexcept {
  const auto is_it = [&](const auto& mine) { return mine.get() == &one; };
  return std::ranges::any_of(shared_, is_it) || std::ranges::any_of(dedicated_, is_it);
}

std::vector<request*> node::take_waiting() {
  std::vector<request*> all;
  for (const auto* kind : {&shared_, &dedicated_}) {
    for (const auto& one : *kind) {
      const auto some = one->take_waiting();
      all.insert(all.end(), some.begin(), some.end());
    }
  }
  return all;
}

std::shared_ptr<connection> node::make_private(connection_owner& owner) const {
  auto how = settings_;
  how.tracking = false;
  how.reconnect = false;
  return std::make_shared<connection>(services_, ends_, owner, address_, how);
}

std::string_view first_key(const request& asked) {
  if (asked.traits.first_key == 0) return {};
  return resp::view{asked.bytes.substr(asked.keyed_at)}[asked.traits.first_key].text();
}

}  // namespace seawall::redis
