// shared_tier: what a cache needs of a store that several processes share (L2). Implemented over anything that executes
// Redis commands: see seawall/tier.hpp.
//
// The protocol in short. A key holds nothing, a *lease* or an entry. Whoever finds nothing takes a lease: a number that
// only it knows. It loads, and its value is stored only if that very lease is still there. An invalidation removes
// whatever is there, leases too, so that a value whose load began before it is never stored. A store that forgets (by
// eviction, a flush, a restart) forgets leases as well, and so fails on the safe side.
//
// What was read may be kept in the process (L1) as long as the *proof* of the read holds: the store promised to tell of
// the key's next change, in order with its replies, and has shown within the last `bound` that all its messages came.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/result.hpp"
#include "seawall/cache/prefix_removal.hpp"
#include "seawall/cache/shared_format.hpp"
#include "seawall/local/proof.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall {

using tier_proof = local::proof;

/// A random number of 96 bits that names one lease, or one write of an entry: no two are ever the same.
struct tier_nonce {
  std::uint64_t high = 0;
  std::uint32_t low = 0;

  friend bool operator==(const tier_nonce&, const tier_nonce&) = default;
};

/// That an entry belonged to a tag, and the tag's generation before its load began: it is valid while that generation
/// is the tag's.
struct tag_stamp {
  std::uint64_t tag = 0;         ///< Hash of the tag's name; 0: every entry of the cache.
  std::uint64_t generation = 0;

  friend bool operator==(const tag_stamp&, const tag_stamp&) = default;
};

/// A value, or that the source has none, as it is stored.
struct tier_entry {
  bool absent = false;
  std::uint64_t version = 0;      ///< Given by the source, grows with each commit to the row; 0: none.
  std::uint32_t schema = 0;       ///< What reads `payload`: schema_hash of the value's type.
  duration fresh_for{};           ///< From now; negative: stale since. `forever`: no end.
  duration keep_for = forever;    ///< From now, for writing: when the store may forget it; >= fresh_for.
  duration load_time{};
  duration age{};                 ///< Since its load ended; 0 also where nobody knows. A century at most.
  std::vector<tag_stamp> tags{};
  std::string payload{};          ///< Empty for an absence.
};

/// A cache, as the feed of its tier sees it. All calls come one at a time for each server, in the order of its replies,
/// must return soon and must not call the tier.
class tier_listener {
 public:
  virtual ~tier_listener() = default;

  /// The key (without the cache's prefix) changed: nothing that was read of it before is to be kept, and whoever waits
  /// for another's load of it should look again.
  virtual void on_changed(std::string_view key) noexcept = 0;
  /// How many entries it may keep in the process; 0: nobody knows.
  virtual std::size_t most_entries() const noexcept { return 0; }
  /// The tag's generation changed: no entry with it that was read or loaded before is to be served. A tag is told of
  /// in this way as long as an entry with it may be kept in the process.
  /// Tag 0: all of the cache.
  virtual void on_tag_changed(std::uint64_t /*tag*/) noexcept { on_all_changed(); }
  /// Tags may have changed untold. What was read before may be served as far as its proof holds; what is being loaded,
  /// or has tags, is not to be kept.
  virtual void on_tags_lost() noexcept { on_all_changed(); }
  /// Any key, and any tag, may have changed untold: no proof holds any more, and what is being loaded or read meanwhile
  /// is not to be kept.
  virtual void on_all_changed() noexcept = 0;
};

/// One operation under way. The tier holds it until `on_end`, which it calls exactly once, from any thread, perhaps
/// from inside the call that began it. The results are there from then on, and are not written any more.
class tier_call {
 public:
  virtual ~tier_call() = default;
  virtual void on_end() noexcept = 0;

  duration patience = forever;   ///< How long it may take at most, if that is less than the tier's own budget.
  bool caller_waits = false;     ///< The thread that begins it is about to call `shared_tier::wait` for it.
  /// Of the keys that it names. An invalidation of `plain` ones removes framed ones as well.
  shared_format format = shared_format::framed;

  /// Why the tier did not do it, or may not have: unreachable, out of its time, refused. Not an error for anybody who
  /// reads a cache, which goes to the source instead.
  std::optional<error> failure{};
};

/// Reads a key, and takes the lease for it if there is nothing that can be used.
class tier_read : public tier_call {
 public:
  enum class outcome : std::uint8_t {
    failed,   ///< See `failure`: load without the tier, and do not fill.
    hit,      ///< `entry` and `nonce`.
    leased,   ///< `nonce` is the lease (with `refresh`: the entry that may be replaced): load, then fill or release.
    held,     ///< Another caller, anywhere, holds the lease: wait for on_changed or a while, and read again.
  };

  // What is asked.
  std::string key{};                   ///< The whole key, prefix included.
  bool takes_lease = true;             ///< False: `held` when there is nothing that can be used.
  bool expects_miss = false;           ///< A hint: takes the lease in the first round trip.
  bool refresh = false;                ///< An entry was seen, stale or soon so: takes the right to replace it, of one
                                       ///< at a time; `hit` if it is fresh by then. Once `leased`: whether it is that.
  bool early = false;                  ///< With `refresh`: even if it is fresh.
  std::optional<tier_nonce> unusable{};  ///< The entry with this nonce is of no use to this caller: lease it away. With
                                         ///< `refresh`: it was seen, and is to be replaced though it may be fresh.
  bool fresh = false;                  ///< The answer must be right at some moment during the call, the generations of
                                       ///< tags included. What came so is not to be kept in the process.
  std::string prefix{};                ///< As the cache is attached: tags belong to it.
  std::vector<std::uint64_t> tags{};   ///< Those that the load will give its value: `stamps` has their generations.
  duration lease_for{};                ///< How long a load may take before others may take over.

  // What came.
  outcome is = outcome::failed;
  tier_entry entry{};
  tier_nonce nonce{};
  std::vector<tag_stamp> stamps{};     ///< With a lease: what a fill is to put into its entry's `tags`.
  const tier_proof* proof = nullptr;   ///< Of a hit, if it may be kept in the process; lives as long as the tier.
  time_point asked_at{};               ///< A moment at which what came was certainly not yet older than the store's.

  /// Called before `on_end`, in order with the calls of the listener: a change that the store made after the read is
  /// told after this.
  virtual void on_read() noexcept {}
};

/// Stores what was loaded under a lease or a refresh.
class tier_fill : public tier_call {
 public:
  // What is asked.
  std::string key{};
  tier_nonce lease{};                  ///< The `nonce` of a read that gave a lease.
  bool refresh = false;                ///< As in that read.
  bool unhurried = false;              ///< Nobody waits for the end, of which may be heard late; see `hurry`.
  tier_entry entry{};

  // What came.
  bool accepted = false;               ///< Stored. False without a failure: it was invalidated or replaced meanwhile.
  const tier_proof* proof = nullptr;   ///< As in tier_read.

  /// As in tier_read.
  virtual void on_read() noexcept {}
};

/// Removes keys, leases included. Ended: from then on no reader gets what was there, in any process whose feed works at
/// once, in the others within the bound. With `failure`: not done yet for those in `undelivered`; the tier keeps them
/// and does it as soon as it can.
class tier_invalidation : public tier_call {
 public:
  std::vector<std::string> keys{};
  std::size_t removed = 0;             ///< How many of them held an entry or a lease.
  std::size_t undelivered = 0;
};

/// Gives a tag a new generation: ended, every entry with it is gone, as after tier_invalidation. Tag 0: all of the
/// cache.
class tier_tag_change : public tier_call {
 public:
  std::string prefix{};
  std::uint64_t tag = 0;
};

/// Replaces an entry with a newer one of the source, if there is one and it is older; never creates one. With
/// `failure`: the key counts as one whose invalidation is not delivered yet.
class tier_put : public tier_call {
 public:
  std::string key{};
  tier_entry entry{};                  ///< `version` != 0.
  bool replaced = false;
};

/// Thread safety: all members may be called from any thread.
class shared_tier {
 public:
  virtual ~shared_tier() = default;

  /// Tells `listener` of the changes of keys that begin with `prefix`, for as long as it lives.
  virtual void attach(std::string prefix, std::weak_ptr<tier_listener> listener) = 0;

  virtual void read(std::shared_ptr<tier_read> what) = 0;
  virtual void fill(std::shared_ptr<tier_fill> what) = 0;
  /// Gives a lease back after a load that failed, so that others need not wait for its end. `refresh` as in the read.
  virtual void release(std::string key, const tier_nonce& lease, bool refresh) = 0;
  /// The same for a key whose value is stored plain.
  virtual void release_plain(std::string /*key*/, const tier_nonce& /*lease*/) {}
  virtual void invalidate(std::shared_ptr<tier_invalidation> what) = 0;
  virtual void change_tag(std::shared_ptr<tier_tag_change> what) {
    what->failure = error{errc::invalid_argument, "this tier has no tags"};
    what->on_end();
  }
  virtual void put(std::shared_ptr<tier_put> what) = 0;
  /// Removes all keys that begin with these bytes and were there all the while, leases included, as `invalidate` does.
  /// Blocks its thread meanwhile. Ended with an error: what was removed is, and nothing is kept for later.
  virtual result<prefix_removal> remove_prefix(std::string_view, prefix_options) {
    return fail(errc::invalid_argument, "this tier cannot remove keys by their prefix");
  }

  /// Keys (or whole caches) whose invalidation is kept, since it could not be delivered yet. Tiers that keep none: 0.
  virtual std::size_t undelivered() const { return 0; }

  /// Blocks until `done` is true, which the `on_end` of some call of this tier sets and notifies.
  virtual void wait(const std::atomic<bool>& done) = 0;

  /// Somebody waits, without `wait`, for the end of a fill that may have begun as unhurried.
  virtual void hurry() noexcept {}

  /// D: how much older than the store's an answer from the process may be, at most.
  virtual duration bound() const noexcept = 0;
};

}  // namespace seawall
