// The two ways in which the shop answers: straight from the database, and through Seawall.
#pragma once

#include "request.hpp"
#include "shop_queries.hpp"

#include <seawall/base/result.hpp>

#include <cstddef>
#include <memory>

namespace seawall::demo {

using answer_ptr = std::shared_ptr<const answer>;

/// Thread safety: all calls from any threads, each with a session of its own.
class front {
 public:
  virtual ~front() = default;
  /// The answer to a request; null when there is none.
  virtual result<answer_ptr> read(shop_session& session, const request_key& key) = 0;
  /// To be called after the commit of a change and before it is acknowledged to whoever asked for it.
  virtual void changed(const shop_change& change) = 0;
};

/// Every request goes to the database.
std::unique_ptr<front> straight_front();

struct seawall_front_options {
  std::size_t threads = 16;         ///< callers, and so the most loads at a time
  bool break_invalidation = false;  ///< forget to invalidate
};

/// Every request goes to a seawall::cache, which loads what is missing. Throws what the cache's constructor throws.
std::unique_ptr<front> seawall_front(const seawall_front_options& options);

}  // namespace seawall::demo
