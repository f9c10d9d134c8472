#include "seawall/tier/redis_tier.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace seawall {
namespace {

// The client of a tier, for as long as the tier lives.
class owned_client {
 public:
  explicit owned_client(redis::client made) : client_(std::move(made)) {}
  ~owned_client() { client_.close(); }
  owned_client(const owned_client&) = delete;
  owned_client& operator=(const owned_client&) = delete;

  redis::client& get() noexcept { return client_; }

 private:
  redis::client client_;
};

// On the client's executor, where nothing waits: the subscription is tried until it succeeds.
std::shared_ptr<void> subscribe(redis::client& over, std::string channel,
                                std::function<void(std::string_view)> on_message, std::function<void()> on_gap) {
  redis::topics what;
  what.channels.push_back(std::move(channel));
  auto made = over.subscribe(
      what, [on_message = std::move(on_message)](const redis::message& one) { on_message(one.payload); },
      {.on_gap = [on_gap = std::move(on_gap)](const redis::gap&) { on_gap(); }, .timeout = std::chrono::hours{24}});
  if (!made) return nullptr;
  return std::make_shared<redis::subscription>(*std::move(made));
}

}  // namespace

result<std::shared_ptr<remote_tier>> redis_tier(const redis::client& like, tier_options how) {
  redis::options options = like.configuration();
  const bool cluster = options.url.find("+cluster") != std::string::npos;
  if (cluster && how.reign_key.find_first_of("{}") != std::string::npos) {
    return fail(errc::invalid_argument, "shared tier: reign_key must have no braces where it is a cluster");
  }
  if (!how.log) how.log = options.log;
  if (!how.clock) how.clock = options.clock;
  const auto make = [&](std::shared_ptr<redis::tracking_listener> feed) -> result<remote_tier::made_target> {
    // An order of replies and changes (of each server of a cluster, too, and of all of them one thread that tells), and
    // an end for which the destructor can wait.
    options.connections = 1;
    options.executor = {};
    options.read_from = redis::read_from::primary;
    options.tracking = std::move(feed);
    options.tracking_mode = how.feed == tier::feed_mode::tracking    ? redis::tracking_mode::reads
                            : how.feed == tier::feed_mode::broadcast ? redis::tracking_mode::broadcast
                                                                     : redis::tracking_mode::connections;
    auto client = redis::client::connect(std::move(options));
    if (!client) return std::unexpected(client.error());
    auto owner = std::make_shared<owned_client>(*std::move(client));
    redis::client& held = owner->get();
    // The target outlives the tier's core's use of it, and the answer is asked for by calls only.
    return remote_tier::made_target{
        .where = &held.target(),
        .owner = std::move(owner),
        .can = [&held] { return held.capabilities(); },
        .cluster = cluster,
        .look_for_moves = [&held] { held.refresh_topology(); },
        .aside = [&held](std::string_view key) {
          const auto own = std::make_shared<redis::session>(held.open_session(key));
          return std::shared_ptr<cmd::target>{own, &own->target()};
        },
        .channel = [&held](std::string channel, auto on_message, auto on_gap) {
          return subscribe(held, std::move(channel), std::move(on_message), std::move(on_gap));
        }};
  };
  return remote_tier::make(make, std::move(how));
}

}  // namespace seawall
