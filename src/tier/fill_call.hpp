// fill_call: stores what was loaded, if the lease is still there, and reads its header back over the tracked
// connection: only a read makes the server tell of the next change, and only one that found what was written proves it.
#pragma once

#include "operation.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace seawall::tier {

class fill_call final : public call<tier_fill> {
 public:
  fill_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_fill> what);

 private:
  void begin() override;
  void replied(step& which, resp::view reply) noexcept override;
  void round_ended() override;

  void begin_round(bool natively);
  void store_natively();
  void store_by_script();
  void end_fill(std::optional<error> failure);

  const std::string key_;
  const core::slot_number slot_;
  const tier_nonce written_;   // of the entry
  std::string bytes_;          // of the entry
  std::uint64_t reign_ = 0;
  time_point asked_at_{};
  step_list round_;
  std::unique_ptr<step> beat_;
  step store_;
  step look_;
  step unlock_;
  bool natively_ = false;      // in this round: SET IFEQ
  bool stored_ = false;
};

}  // namespace seawall::tier
