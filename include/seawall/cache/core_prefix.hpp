// prefix_invalidation: one call that removes what begins with a prefix, from the process of a cache and from the shared
// tier. The process is walked over before the tier and after it, as with a key: before, so that nobody here gets an old
// value from now on; after, for what was read from the tier in between.
#pragma once

#include "seawall/base/codec.hpp"
#include "seawall/cache/core.hpp"
#include "seawall/cache/prefix_removal.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall {

/// Thread safety: none. The core outlives it.
template <class Core>
class prefix_invalidation {
 public:
  using key_type = typename Core::key_type;
  using ending = std::move_only_function<void(result<prefix_removal>)>;

  static_assert(encodable<key_type>,
                "seawall: invalidate_prefix compares keys as they are printed, so their type needs a codec: "
                "see seawall/base/codec.hpp");

  prefix_invalidation(Core& core, std::string_view prefix, const prefix_options& how)
      : core_(core), prefix_(prefix), how_(how) {}

  result<prefix_removal> run() {
    if (prefix_.empty()) {
      return fail(errc::invalid_argument, "cache '" + core_.options().name + "': invalidate_prefix: the prefix must " +
                                              "not be empty; clear() removes all");
    }
    const std::uint64_t here = drop();
    if (!core_.shared()) return prefix_removal{.removed_here = here, .done = true};
    result<prefix_removal> came;
    try {
      came = remove_shared(here);
    } catch (...) {  // the user's on_progress
      drop();
      throw;
    }
    drop();
    return came;
  }

  /// The same on the core's executor; `then` is called at the end, from any thread.
  static void begin(std::shared_ptr<Core> core, std::string prefix, prefix_options how, ending then) {
    job work{std::move(core), std::move(prefix), std::move(how), std::move(then)};
    try {
      if (const auto background = work.owner->background_.lock()) background->post(std::move(work));
    } catch (...) {  // the executor could not take it; the task's destructor says so
    }
  }

 private:
  // A task that its executor drops without running it must not leave its caller waiting.
  struct job {
    std::shared_ptr<Core> owner;
    std::string prefix;
    prefix_options how;
    ending then;

    job(std::shared_ptr<Core> of, std::string begins, prefix_options limits, ending end)
        : owner(std::move(of)), prefix(std::move(begins)), how(std::move(limits)), then(std::move(end)) {}
    job(job&&) = default;
    ~job() {
      if (owner) then(fail(errc::cancelled, "the executor dropped the task"));
    }
    void operator()() noexcept {
      const auto self = std::exchange(owner, nullptr);
      const detail::presence here{self->in_background_};
      if (self->closed_.load()) return then(fail(errc::closed));
      result<prefix_removal> came;
      try {
        came = prefix_invalidation{*self, prefix, how}.run();
      } catch (...) {
        came = std::unexpected(detail::current_failure());
      }
      then(std::move(came));
    }
  };

  // Flights first: one that is not met any more has stored its entry, which is met then. The keys are copied, since the
  // user's codec is not to run under a lock.
  std::uint64_t drop() {
    std::vector<key_type> found;
    const auto drop_found = [&] {
      std::uint64_t there = 0;
      for (const key_type& key : std::exchange(found, {})) there += core_.drop(key, core_.hash_of(key)) ? 1 : 0;
      return there;
    };
    std::uint64_t gone = 0;
    for (auto& shard : core_.flights_.shards()) {
      {
        const std::lock_guard lock{shard.mutex};
        for (const auto& [which, flight] : shard.flights) found.push_back(which.key);
        for (const auto& [which, failure] : shard.failures) found.push_back(which.key);
      }
      std::erase_if(found, [&](const key_type& key) { return !matches(key); });
      gone += drop_found();
    }
    core_.engine_.for_each_in_pieces(
        [&](const auto& entry) {
          if (matches(entry.key())) found.push_back(entry.key());
        },
        [&] { gone += drop_found(); });
    return gone;
  }

  bool matches(const key_type& key) {
    try {
      return encode(key, scratch_).starts_with(prefix_);
    } catch (...) {  // the codec, or no memory: nobody knows, and an entry may always go
      return true;
    }
  }

  // One walk for each version of the program, of which each looks at the whole database.
  result<prefix_removal> remove_shared(std::uint64_t here) {
    prefix_removal all{.removed_here = here};
    const auto& names = core_.prefixes_;
    for (const std::string& name : names) {
      const bool last = &name == &names.back();
      const auto with = [&, before = all](const prefix_removal& one) {
        return prefix_removal{.scanned = before.scanned + one.scanned,
                              .total = one.total * names.size(),
                              .removed = before.removed + one.removed,
                              .removed_here = here,
                              .done = one.done && last};
      };
      prefix_options limits = how_;
      limits.format = core_.format_of_names();
      if (how_.on_progress) limits.on_progress = [&](const prefix_removal& one) { how_.on_progress(with(one)); };
      const auto came = core_.tier().tier().remove_prefix(name + prefix_, std::move(limits));
      if (!came) return came;
      all = with(*came);
      if (!came->done) return all;
    }
    return all;
  }

  Core& core_;
  const std::string prefix_;
  const prefix_options& how_;
  std::string scratch_;
};

}  // namespace seawall
