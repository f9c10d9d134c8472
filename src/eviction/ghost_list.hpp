// The hashes of keys that were evicted lately, the oldest of which are forgotten: a queue in an array of links, and a
// chained hash table over it. 20 bytes a hash.
// Thread safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace seawall::eviction {

class ghost_list {
 public:
  ghost_list();

  std::size_t size() const noexcept { return size_; }
  /// Remembers a hash as the newest. Throws std::bad_alloc, without a change.
  void push(std::uint32_t hash);
  /// Forgets a hash; whether it was there.
  bool take(std::uint32_t hash) noexcept;
  /// Forgets the oldest hashes until no more than `most` are left.
  void trim(std::size_t most) noexcept;
  void clear();

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  struct ghost {
    std::uint32_t hash;
    std::uint32_t older;
    std::uint32_t newer;
    std::uint32_t chain;  // the next one of the same bucket, or of the free list
  };

  std::uint32_t& bucket(std::uint32_t hash) noexcept;
  void forget(std::uint32_t* link) noexcept;
  void rehash();

  std::vector<ghost> ghosts_;
  std::vector<std::uint32_t> buckets_;  // a power of two of them
  std::uint32_t oldest_ = none;
  std::uint32_t newest_ = none;
  std::uint32_t free_ = none;
  std::size_t size_ = 0;
};

}  // namespace seawall::eviction
