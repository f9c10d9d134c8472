// shared_family: entries of one or several caches that one call retires together, in this process and in all others
// that share their tier. The entries carry the version of the family, and the keys stay what they are:
//   seawall::shared_family catalog{"catalog", products, lists};
//   auto product = products.get_or_load(7, find_product, {.tags = {catalog}});
//   catalog.retire();                                        // after the commit: in O(1), whatever the number of keys
// A family is a tag, and has what is promised of tags: nobody gets an entry that was loaded, or whose load began,
// before a retire() that has returned, except that other processes may have it in their memory for the tier's bound at
// most. A call with consistency::fresh never gets it. A version that is lost counts as a new one.
// (seawall::family has its version in the keys, and that is known in its process only.)
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall {

/// Thread safety: all members may be called from any thread.
class shared_family {
 public:
  /// The name is that of a tag in each of the caches, which must outlive the family. Processes that share a tier give
  /// the same one.
  template <class... Cache>
  explicit shared_family(std::string name, Cache&... caches) : name_(std::move(name)) {
    (retire_in_.push_back([&caches](std::string_view tag) { caches.invalidate_tag(tag); }), ...);
  }

  const std::string& name() const noexcept { return name_; }
  /// As a tag: each load of a member names it.
  operator std::string_view() const noexcept { return name_; }

  /// Retires what the caches have of the family. Blocks as `invalidate_tag`: over a shared tier for a round trip for
  /// each cache, or for the tier's budget. What could not be told yet is told later. A coroutine calls
  /// `async_invalidate_tag` of its caches with the family.
  void retire() const {
    for (const auto& retire : retire_in_) retire(name_);
  }

 private:
  std::string name_;
  std::vector<std::function<void(std::string_view)>> retire_in_;
};

}  // namespace seawall
