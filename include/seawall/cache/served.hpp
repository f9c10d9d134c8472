// served: how an answer came, for callers who ask.
#pragma once

#include "seawall/base/clock.hpp"

#include <cstdint>

namespace seawall {

enum class served_from : unsigned char {
  nobody,   ///< There is no answer: the call failed.
  process,  ///< What this process had.
  shared,   ///< The shared tier.
  source,   ///< A loader.
};

enum class served_why : unsigned char {
  hit,                  ///< It was there, and fresh.
  stale_while_refresh,  ///< It was there, past its TTL and within `stale_for`.
  stale_on_error,       ///< It was there, within `stale_if_error`, and no new one could be had.
  miss,                 ///< Nothing was there.
  joined,               ///< Another caller of this process was about to get it.
  waited,               ///< Another process was loading it.
  asked,                ///< What was there was passed over, as `consistency` demands.
  tier_failed,          ///< The shared tier did not answer.
  failed,               ///< The error says why.
};

/// Filled in by get_or_load and async_get_or_load before they answer, if a pointer to one is given with the call:
///   seawall::served how;
///   auto user = users.get_or_load(id, find_user, {.report = &how});
/// It must live as long as the call. A call with its own loader that refreshes a stale value says `source`.
struct served {
  served_from from = served_from::nobody;
  served_why why = served_why::failed;
  duration age{};             ///< Since its load ended, in whichever process; zero for what was loaded just now.
  std::uint64_t version = 0;  ///< Of the row, if its loader named one.
};

}  // namespace seawall
