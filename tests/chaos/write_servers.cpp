#include "write_servers.hpp"

#include "servers/redis_server.hpp"
#include "servers/sentinel_group.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>
#include <vector>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using seawall::servers::redis_server;
using seawall::servers::sentinel_group;

class appending final : public write_servers {
 public:
  explicit appending(bool appends)
      : server_(redis_server::start({.config = appends ? std::vector<std::string>{"appendonly yes",
                                                                                  "appendfsync always"}
                                                       : std::vector<std::string>{}})) {}

  std::string url() const override { return fmt::format("redis://127.0.0.1:{}", server_->port()); }
  std::string kill(dice&) override {
    server_->kill();
    return "Redis";
  }
  void revive() override { server_->restart(); }
  std::string_view keeps() const override { return "one Redis with appendfsync always: its disk has what it answers"; }

 private:
  std::unique_ptr<redis_server> server_;
};

// A server that comes back is empty. So a primary is not back before the replica has its place, and none is killed
// while the other has not all of it.
class replicated final : public write_servers {
 public:
  std::string url() const override {
    return fmt::format("redis+sentinel://127.0.0.1:{}/{}", fmt::join(group_->sentinel_ports(), ",127.0.0.1:"),
                       group_->name());
  }
  std::string kill(dice& chance) override {
    primary_ = group_->primary();
    killed_ = chance.one_in(3) ? 1 - primary_ : primary_;
    group_->server(killed_).kill();
    return killed_ == primary_ ? "the primary" : "the replica";
  }
  void revive() override {
    if (killed_ == primary_) group_->wait_primary_other_than(primary_);
    group_->server(killed_).restart();
    group_->wait_healthy();
  }
  std::string_view keeps() const override {
    return "a primary and a replica without a disk: the replica has what is acknowledged, and is promoted";
  }

 private:
  std::unique_ptr<sentinel_group> group_ = sentinel_group::start({.replicas = 1, .down_after = 600ms});
  std::size_t primary_ = 0;
  std::size_t killed_ = 0;
};

}  // namespace

std::unique_ptr<write_servers> make_appending_server(bool appends) { return std::make_unique<appending>(appends); }
std::unique_ptr<write_servers> make_replicated_servers() { return std::make_unique<replicated>(); }

}  // namespace chaos
