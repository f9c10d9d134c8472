// prefix_walk: removes all keys that begin with a prefix, step by step, on the thread that asks for it.
#pragma once

#include "core.hpp"
#include "seawall/cache/prefix_removal.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::tier {

/// A pattern of SCAN that matches what begins with these bytes, whatever they are.
std::string pattern_of_prefix(std::string_view prefix);

/// Thread safety: none.
class prefix_walk {
 public:
  prefix_walk(std::shared_ptr<core> of, std::string_view prefix, prefix_options how);

  result<prefix_removal> run();

 private:
  struct search {
    std::string pattern{};
    bool leases = false;  // that lie beside keys
  };

  std::unexpected<error> failed(const error& why) const;
  result<void> walk(const search& which, bool last);
  result<void> step();
  // A replica answers SCAN, too, and may lack what its primary has, but refuses to remove even what is not there. So
  // that is asked for before a walk and behind it. In a cluster it would go to another server than the steps.
  result<std::uint64_t> connection_to_primary();
  bool is_meant(std::string_view name) const;
  result<void> remove(const std::vector<std::string>& keys);
  bool begin_anew();
  bool has_leases() const { return how_.format == shared_format::plain; }
  bool stopped() const { return how_.stop.stop_requested(); }
  void rest();

  const std::shared_ptr<core> core_;
  const std::string prefix_;
  const prefix_options how_;
  const search keys_;
  const search leases_;
  const search* looks_for_ = nullptr;
  prefix_removal so_far_{};
  std::uint64_t cursor_ = 0;
  std::uint64_t generation_ = 0;  // of the connection that gave the cursor
  int begun_ = 0;
};

}  // namespace seawall::tier
