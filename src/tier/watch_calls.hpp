// The calls of a watch: one looks at the settings of the server, one sends up a canary. Nobody waits for them.
#pragma once

#include "operation.hpp"
#include "seawall/cmd/strings.hpp"
#include "seawall/resp/value.hpp"
#include "watch.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::tier {

class advice_call final : public operation {
 public:
  /// `aside`: leads to the server that is meant; none: the target has one.
  advice_call(std::shared_ptr<tier::core> core, std::uint64_t generation, std::shared_ptr<cmd::target> aside)
      : operation(std::move(core)), generation_(generation), aside_(std::move(aside)) {}

 private:
  // One command for each: several settings in one are newer than some servers.
  static constexpr std::array<std::string_view, 6> settings{
      "maxmemory", "maxmemory-policy", "save", "appendonly", "tracking-table-max-keys", "min-replicas-to-write"};

  void begin() override {
    deadline_ = after(core_->now(), std::max<duration>(core_->options().budget, std::chrono::seconds{1}));
    std::vector<step*> round{&info_};
    info_.set(*this, cmd::command<resp::value>{cmd::builder{"INFO"}});
    for (std::size_t i = 0; i < settings.size(); ++i) {
      config_[i].set(*this, cmd::command<resp::value>{cmd::builder{"CONFIG GET"}.text(settings[i])});
      round.push_back(&config_[i]);
    }
    if (core_->records().divided()) {
      seen_.primaries.reset();
      nodes_.set(*this, cmd::command<resp::value>{cmd::builder{"CLUSTER NODES"}});
      round.push_back(&nodes_);
    }
    if (aside_) send_over(*aside_, round);
    else send(round);
  }

  void replied(step& which, resp::view reply) noexcept override {
    if (&which == &info_) return seen_.learn(cmd::server_info{reply.text()});
    if (&which == &nodes_) return seen_.learn_nodes(reply.text());
    for (std::size_t i = 0; i < settings.size(); ++i) {
      if (&which != &config_[i]) continue;
      const resp::view value = reply.find(settings[i]);
      if (!value.is_null()) seen_.learn(settings[i], value.text());
    }
  }

  void round_ended() override {
    const std::optional<error>& why = config_[0].failure() ? config_[0].failure() : info_.failure();
    core_->watching().looked(generation_, seen_, why ? &*why : nullptr, core_->may_hold());
    finish();
  }

  const std::uint64_t generation_;
  const std::shared_ptr<cmd::target> aside_;
  server_setup seen_;
  step info_;
  step nodes_;
  std::array<step, settings.size()> config_;
};

class canary_call final : public operation {
 public:
  explicit canary_call(std::shared_ptr<tier::core> core) : operation(std::move(core)) {}

 private:
  void begin() override {
    cage_ = core_->watching().next_canary();
    read_.set(*this, cmd::get(cage_.key));
    deadline_ = after(core_->now(), longest());
    send(std::array{&read_});
  }

  void replied(step& which, resp::view) noexcept override {
    if (&which == &read_) core_->watching().canary_read(which.generation);
  }

  void round_ended() override {
    const step& last = changes_ ? change_ : read_;
    if (last.failure() || std::exchange(changes_, true)) {
      core_->watching().canary_ended(core_->now(), last.failure() ? &*last.failure() : nullptr);
      return finish();
    }
    // It goes by itself when nobody sends canaries any more.
    const duration life = core_->options().canary_interval * 2 + core_->options().bound;
    change_.set(*this, cmd::command<resp::value>{cmd::builder{"SET"}
                                                     .key(cage_.key)
                                                     .text("1")
                                                     .text("PX")
                                                     .number(milliseconds_of(life))
                                                     .effect(cmd::effect::write_last)});
    core_->watching().canary_changes(core_->now());
    deadline_ = after(core_->now(), longest());
    if (cage_.aside) send_over(*cage_.aside, std::array{&change_});
    else send(std::array{&change_});
  }

  // Its connection may have to be made first.
  duration longest() const { return std::max<duration>(core_->options().budget, std::chrono::seconds{1}); }

  watch::cage cage_;
  step read_;
  step change_;
  bool changes_ = false;
};

}  // namespace seawall::tier
