// worker: one process of a chaos run: a real cache over a shared tier, readers, and writers that invalidate.
#pragma once

#include "checker.hpp"
#include "dice.hpp"
#include "truth.hpp"

#include "seawall/cache.hpp"
#include "seawall/tier.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace chaos {

/// The tier of this process, as the shared file says. Throws std::runtime_error if the URL is no good.
std::shared_ptr<seawall::remote_tier> connect_tier(const truth& shared, std::size_t index);

class worker {
 public:
  using cache = seawall::cache<std::uint64_t, std::string>;

  /// Throws std::runtime_error if the URL is no good.
  worker(truth& shared, std::size_t index);

  /// Until the run is over.
  void run();

 private:
  struct write {
    std::uint64_t key;
    std::uint64_t version;
    std::uint64_t two_primaries;  // before it was invalidated
  };
  using writes = std::vector<write>;

  cache::options options();
  void read_until_settled(std::uint64_t seed);
  void read_one(dice& chance, local_tally& mine);
  void read_many(dice& chance, local_tally& mine);

  /// Rows of one tag are one writer's.
  std::string tag_of(std::uint64_t key) const;
  std::vector<std::uint64_t> with_tag_of(std::uint64_t key) const;

  void write_until_calm(std::size_t writer);
  writes left_behind(std::size_t writer);
  void change(std::span<const std::uint64_t> keys, bool by_tag, dice& chance, writes& waiting, local_tally& mine);
  void invalidate(std::span<const std::uint64_t> keys, bool by_tag = false);
  void announce(writes& waiting, local_tally& mine);
  bool disturbed(writes& waiting, local_tally& mine);

  seawall::loaded<std::string> load(std::uint64_t key);
  void sample(std::span<const std::uint64_t> before);
  void settle();

  row::of_process& mine_of(std::uint64_t key) { return shared_.at(key).by[index_]; }
  bool is_wrong(mischief how) const { return index_ == 1 && mischief_ == how; }

  truth& shared_;
  const std::size_t index_;
  process_state& state_;
  const mischief mischief_;
  const std::uint64_t writers_;
  std::shared_ptr<seawall::remote_tier> tier_;
  std::unique_ptr<cache> cache_;
  checker checker_;
  std::vector<seawall::tag_list> tags_;  // of each key
  std::atomic<std::size_t> writing_{0};
};

}  // namespace chaos
