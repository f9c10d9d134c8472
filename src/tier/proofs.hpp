// proofs: the proof records of a tier. They live as long as it does, since entries of caches point to them; one that
// has ended is used again when no cache can have an entry of it any more.
#pragma once

#include "seawall/cache/shared_tier.hpp"

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace seawall::tier {

/// Thread safety: none, its owner guards it; the records themselves may be read by any thread.
class proofs {
 public:
  static constexpr std::size_t most = 1024;

  struct taken {
    tier_proof* proof = nullptr;  ///< None: so many are in use.
    bool tell_all = false;        ///< Before it is extended, every cache must have dropped everything.
  };

  proofs() {
    free_.reserve(most);
    for (tier_proof& one : records_) free_.push_back(&one);
  }
  proofs(const proofs&) = delete;
  proofs& operator=(const proofs&) = delete;

  taken take() {
    const bool tell_all = free_.empty();
    if (tell_all) free_ = std::exchange(ended_, {});
    if (free_.empty()) return {.tell_all = tell_all};
    tier_proof* const one = free_.back();
    free_.pop_back();
    one->renew();
    return {.proof = one, .tell_all = tell_all};
  }

  void end(tier_proof* one) {
    if (!one) return;
    one->end();
    ended_.push_back(one);
  }

 private:
  std::array<tier_proof, most> records_{};
  std::vector<tier_proof*> free_;
  std::vector<tier_proof*> ended_;
};

}  // namespace seawall::tier
