// What follows a write to the source: the removal of keys, and the replacement of an entry by a newer one.
#pragma once

#include "operation.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
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
  std::vector<std::string_view> names_of(std::size_t part) const;
  /// That the name is of, or of whose lease.
  const std::string& key_of(std::size_t name) const { return what_->keys[name / names_of_key_]; }

  const std::size_t names_of_key_;           // a lease that lies beside its key goes before it
  const std::vector<std::string> leases_;    // if there are
  const std::size_t names_;
  const std::size_t at_once_;
  std::vector<step> parts_;  // one UNLINK each
};

/// A change that was not delivered is kept as undelivered: the tag's records are removed then, which changes it too.
class tag_call final : public call<tier_tag_change> {
 public:
  tag_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_tag_change> what);

 private:
  void begin() override;
  void round_ended() override;
  void end_change(const std::vector<std::string>& missed, std::optional<error> failure);

  const std::vector<std::string> keys_;  // of its records
  std::vector<step> parts_;              // one SET each
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
