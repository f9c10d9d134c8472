// Reading and filling keys whose values are stored plain: any program may have written what is there, and nothing but
// the value is. Leases lie beside the keys; see plain_scripts.hpp.
#pragma once

#include "operation.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::tier {

/// Gives the lease of a key back.
void release_plain_lease(const std::shared_ptr<core>& of, std::string_view key, const tier_nonce& lease);

/// Each round ends with a tracked GET, whose answer decides, and a PTTL; before them go, as the round needs them, a
/// beat and the program that takes the lease.
class plain_read_call final : public call<tier_read> {
 public:
  plain_read_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_read> what);

 private:
  using outcome = tier_read::outcome;
  /// What a round takes the lease for.
  enum class claim : std::uint8_t {
    none,
    absent,   ///< To store a value where none is.
    replace,  ///< To replace the one that is there.
  };

  void begin() override;
  void replied(step& which, resp::view reply) noexcept override;
  void round_ended() override;

  void begin_round();
  void add_claim(std::uint64_t reign);
  void judge(const footing& on, resp::view reply);
  bool is_wanted(std::string_view value, const tier_nonce& name);
  void want(claim how, const footing& on);
  void decide(outcome is, const footing& on);
  void keep_for(std::optional<std::int64_t> milliseconds);
  void end_decided();
  void end_without_answer();
  void release_claims();

  const std::string key_;
  const std::string lease_;
  const core::slot_number slot_;
  claim_nonces claims_;
  step_list round_;
  std::unique_ptr<step> beat_;
  step claim_;
  step get_;
  step ttl_;
  time_point asked_at_{};
  int rounds_ = 0;
  claim taking_ = claim::none;   // in this round
  claim next_ = claim::none;
  bool beat_sent_ = false;       // in this round
  bool holds_ = false;           // it was told in this round that the lease is its own
  bool unverified_ = false;      // the answer came over a connection that is not to be trusted yet
  bool decided_ = false;
};

/// What is read back is the value itself: to compare it is the only proof that nobody has replaced it meanwhile.
class plain_fill_call final : public call<tier_fill> {
 public:
  plain_fill_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_fill> what);

 private:
  void begin() override;
  void replied(step& which, resp::view reply) noexcept override;
  void round_ended() override;

  const std::string key_;
  const core::slot_number slot_;
  time_point asked_at_{};
  step_list round_;
  std::unique_ptr<step> beat_;
  step store_;
  step look_;
};

}  // namespace seawall::tier
