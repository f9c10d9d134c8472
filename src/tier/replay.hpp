// replay_call: delivers the invalidations that wait, batch by batch, until none is left or the server fails.
#pragma once

#include "operation.hpp"
#include "seawall/cmd/keys.hpp"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::tier {

class replay_call final : public operation {
 public:
  explicit replay_call(std::shared_ptr<tier::core> core) : operation(std::move(core)) {}

 private:
  void begin() override { next_batch(); }

  void next_batch() {
    batch_ = core_->take_undelivered();
    if (batch_.empty()) return finish();
    sent_ = core_->now();
    deadline_ = after(sent_, core_->options().budget);
    std::vector<std::string_view> keys;
    bool whole = false;
    for (const auto& one : batch_) {
      if (one.prefix) whole = true;
      else keys.push_back(one.name);
    }
    std::vector<step*> steps;
    // All entries become suspect: to find those of one cache takes too long.
    if (whole) {
      beat_.set(*this, core_->beat_command({}, true));
      steps.push_back(&beat_);
    }
    if (!keys.empty()) {
      unlink_.set(*this, cmd::unlink(keys));
      steps.push_back(&unlink_);
    }
    whole_ = whole;
    some_ = !keys.empty();
    send(steps);
  }

  void replied(step& which, resp::view reply) noexcept override {
    if (&which == &beat_) core_->heard_beat(which.generation, sent_, reply);
  }

  void round_ended() override {
    const bool well = !(whole_ && beat_.failure()) && !(some_ && unlink_.failure());
    if (core_->replayed(batch_, well)) return next_batch();
    finish();
  }

  std::vector<undelivered::item> batch_;
  step beat_;
  step unlink_;
  time_point sent_{};
  bool whole_ = false;
  bool some_ = false;
};

}  // namespace seawall::tier
