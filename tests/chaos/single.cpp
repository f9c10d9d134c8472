// One server. Each worker reaches it through a proxy of its own.
#include "topology.hpp"

#include "servers/wait.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using seawall::servers::redis_server;
using seawall::servers::tcp_proxy;

class single final : public topology {
 public:
  explicit single(std::size_t workers) {
    for (std::size_t i = 0; i != workers; ++i) proxies_.push_back(std::make_unique<tcp_proxy>(server_->port()));
  }

  std::string url(std::size_t worker) const override {
    return fmt::format("redis://127.0.0.1:{}", proxies_.at(worker)->port());
  }

  tcp_proxy* link(std::size_t worker) override { return proxies_.at(worker).get(); }

  std::vector<fault> network_faults() override {
    const auto proxy = [this](std::size_t which) -> tcp_proxy& { return *proxies_[which]; };
    return proxy_faults(proxies_.size(), proxy, "link of worker", 2500ms);
  }

  std::vector<fault> server_faults() override {
    const auto only = [](dice&) { return std::string{"server 0"}; };
    auto all = common_server_faults(only, only, [this](std::size_t) -> redis_server& { return *server_; }, 2500ms);
    all.push_back({"server killed", "servers", 3, only,
                   [this](dice& chance, const std::string&) { return killed(chance, snapshot::none); }});
    all.push_back({"server killed, back from an old snapshot", "servers", 3, only,
                   [this](dice& chance, const std::string&) { return killed(chance, snapshot::old); }});
    all.push_back({"server shut down", "servers", 1, only,
                   [this](dice& chance, const std::string&) { return killed(chance, snapshot::right); }});
    return all;
  }

  void heal() override {
    server_->resume();
    if (!server_->alive()) server_->restart();
  }

 private:
  enum class snapshot { none, old, right };

  begun killed(dice& chance, snapshot which) {
    const std::chrono::milliseconds age{which == snapshot::old ? 100 + chance.below(1500) : 0};
    const std::chrono::milliseconds away{chance.one_in(3) ? 0 : chance.below(1500)};
    if (which != snapshot::none) server_->run({"SAVE"});
    seawall::servers::pause_between_tries(age);
    if (which == snapshot::right) {
      server_->run({"CONFIG", "SET", "save", "3600 1"});  // SIGTERM then saves
      server_->terminate();
    } else {
      server_->kill();
    }
    return {.text = fmt::format("the server ends, and is back after {} ms {}", away.count(),
                                which == snapshot::none  ? "without data"
                                : which == snapshot::old ? fmt::format("with data {} ms old", age.count())
                                                         : "with its data"),
            .lasts = away,
            .mend = [this] { back(); }};
  }

  void back() {
    server_->restart();
    const std::filesystem::path folder = server_->run({"CONFIG", "GET", "dir"}).elements.at(1).text;
    std::filesystem::remove(folder / "dump.rdb");
  }

  std::unique_ptr<redis_server> server_ = redis_server::start();
  std::vector<std::unique_ptr<tcp_proxy>> proxies_;
};

}  // namespace

std::unique_ptr<topology> make_single(truth& shared, diary&) {
  return std::make_unique<single>(shared.head().processes.load());
}

}  // namespace chaos
