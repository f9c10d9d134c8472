// What each kind of request costs the database, alone.
#pragma once

#include "report.hpp"
#include "request.hpp"
#include "shop_queries.hpp"

#include <array>
#include <vector>

namespace seawall::demo {

/// Runs samples of each kind of request alone, with keys of the traffic itself.
std::array<query_cost, request_kinds> measure_costs(shop_session& session, const std::vector<request_key>& traffic);

}  // namespace seawall::demo
