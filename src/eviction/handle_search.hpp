// Finds a handle among those that are kept together. entry_header::place has room for the number of a block of handles
// only, so whoever wants one from the middle has to look for it. Thread safety: none.
#pragma once

#include "seawall/eviction/entry_header.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace seawall::eviction {

/// Which of the 64 words of a block equal `wanted`: a bit for each. Looks at all of them, since a loop that ends at the
/// right one costs a mispredicted branch, which takes as long.
inline std::uint64_t words_equal_to(handle wanted, const void* block) noexcept {
  std::uint64_t found = 0;
#if defined(__SSE2__)
  const __m128i pattern = _mm_set1_epi32(static_cast<int>(wanted));
  const auto* const words = static_cast<const __m128i*>(block);
  const auto equal = [&](int four) { return _mm_cmpeq_epi32(_mm_loadu_si128(words + four), pattern); };
  for (int i = 0; i != 16; i += 4) {
    const __m128i first = _mm_packs_epi32(equal(i), equal(i + 1));
    const __m128i second = _mm_packs_epi32(equal(i + 2), equal(i + 3));
    const auto sixteen = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(first, second)));
    found |= std::uint64_t{sixteen} << 4 * i;
  }
#else
  std::array<std::uint32_t, 64> words;
  std::memcpy(words.data(), block, sizeof words);
  for (std::size_t i = 0; i != words.size(); ++i) found |= std::uint64_t{words[i] == wanted} << i;
#endif
  return found;
}

}  // namespace seawall::eviction
