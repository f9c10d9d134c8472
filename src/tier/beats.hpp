// heartbeat_call: asks a server for a reign, which shows that it lives, and that all it has to tell was told.
#pragma once

#include "operation.hpp"

#include <array>
#include <memory>
#include <utility>

namespace seawall::tier {

class heartbeat_call final : public operation {
 public:
  /// `meant`: the connection whose slot it is.
  heartbeat_call(std::shared_ptr<tier::core> core, std::uint64_t meant, core::slot_number slot)
      : operation(std::move(core)), meant_(meant), slot_(slot) {}

 private:
  void begin() override {
    sent_ = core_->now();
    deadline_ = after(sent_, std::max(core_->options().heartbeat, core_->options().budget));
    beat_.set(*this, core_->beat_command(slot_));
    send(std::array{&beat_});
  }

  void replied(step& which, resp::view reply) noexcept override {
    core_->heard_beat(which.generation, slot_, sent_, reply);
  }

  void round_ended() override {
    if (beat_.failure()) core_->missed_beat(beat_.generation, *beat_.failure());
    core_->heartbeat_ended(meant_, slot_, !beat_.failure(), core_->now() - sent_);
    finish();
  }

  const std::uint64_t meant_;
  const core::slot_number slot_;
  step beat_;
  time_point sent_{};
};

}  // namespace seawall::tier
