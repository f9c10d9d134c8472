// stored_operation: a write as the log and the queue of a write-behind hold it, key and value encoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace seawall::source {

struct stored_operation {
  std::uint64_t sequence = 0;
  bool removed = false;
  std::string key = {};
  std::string value = {};  ///< empty when removed
  std::uint64_t fence = 0;  ///< of the lease under which it was read; 0 where nobody else can apply it

  std::size_t bytes() const noexcept { return key.size() + value.size(); }
};

using operation_ptr = std::shared_ptr<const stored_operation>;

}  // namespace seawall::source
