// What follows a write to the source: the removal of keys, and the replacement of an entry by a newer one.
#pragma once

#include "operation.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace seawall::tier {

/// Keys that could not be removed are kept as undelivered.
class invalidation_call final : public call<tier_invalidation> {
 public:
  invalidation_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_invalidation> what);

 private:
  void begin() override;
  void round_ended() override;
  std::vector<std::string_view> keys_of(std::size_t part) const;

  std::vector<step> parts_;  // one UNLINK each
};

/// An entry that may not have been replaced is kept as undelivered: it is removed then.
class put_call final : public call<tier_put> {
 public:
  put_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_put> what);

 private:
  void begin() override;
  void round_ended() override;
  void end_put(std::optional<error> failure);

  step put_;
};

}  // namespace seawall::tier
