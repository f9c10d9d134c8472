#include "one_queue_policy.hpp"
#include "policies.hpp"

namespace seawall::eviction {

std::unique_ptr<policy> make_fifo(const arena& entries) { return std::make_unique<one_queue_policy>(entries); }

}  // namespace seawall::eviction
