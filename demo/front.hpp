// The two ways in which the shop answers: straight from the database, and through Seawall.
#pragma once

#include "figures.hpp"
#include "request.hpp"
#include "shop_queries.hpp"

#include <seawall/base/result.hpp>
#include <seawall/cache/policy.hpp>
#include <seawall/tier/remote_tier.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace seawall::demo {

using answer_ptr = std::shared_ptr<const answer>;

/// Thread safety: all calls from any threads, each with a session of its own.
class front {
 public:
  virtual ~front() = default;
  /// The answer to a request; null when there is none.
  virtual result<answer_ptr> read(shop_session& session, const request_key& key, consistency how) = 0;
  /// To be called after the commit of a change and before it is acknowledged to whoever asked for it.
  virtual void changed(const shop_change& change) = 0;
  /// Whether all processes can know of every change for which `changed` has returned.
  virtual bool delivered() const { return true; }
  /// Who has answered so far.
  virtual tier_shares answered() const { return {}; }
  /// Whether the shared tier is out of use: it failed too often, and is tried again from time to time.
  virtual bool without_shared() const { return false; }
};

/// Every request goes to the database.
std::unique_ptr<front> straight_front();

struct seawall_front_options {
  std::size_t threads = 16;         ///< callers, and so the most loads at a time
  bool break_invalidation = false;  ///< forget to invalidate
  std::string name = "shop";        ///< of the cache: processes that share entries have the same
  std::shared_ptr<remote_tier> shared = {};  ///< none: one process alone
};

/// Every request goes to a seawall::cache, which loads what is missing. Throws what the cache's constructor throws.
std::unique_ptr<front> seawall_front(const seawall_front_options& options);

}  // namespace seawall::demo
