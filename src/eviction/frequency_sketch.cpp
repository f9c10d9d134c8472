#include "seawall/eviction/frequency_sketch.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace seawall::eviction {
namespace {

constexpr std::uint64_t low_three_bits = 0x7777777777777777;
constexpr std::size_t moved_at_once = 4;  // lines for each addition: it is done long before the next doubling

// std::min, but never a branch: which of two counters is less nobody can predict.
std::uint64_t less_of(std::uint64_t a, std::uint64_t b) noexcept { return b ^ ((a ^ b) & (0 - std::uint64_t{a < b})); }

// Where a key's counter of one row is: five bits of the hash choose among the 32 counters of two words.
struct counter {
  counter(std::uint64_t spread, std::uint32_t row) noexcept
      : word(2 * row + (spread >> (8 * row + 4) & 1)), shift(4 * (spread >> (8 * row) & 15)) {}

  std::uint64_t in(const std::array<std::uint64_t, 8>& words) const noexcept {
    return words[word] >> shift & frequency_sketch::max_count;
  }
  void raise(std::array<std::uint64_t, 8>& words, std::uint64_t count) const noexcept {
    words[word] += less_of(count, frequency_sketch::max_count - in(words)) << shift;
  }

  std::uint64_t word;
  std::uint64_t shift;
};

// Its four counters. Written out, not in arrays: this is the innermost work of an eviction.
struct key_counters {
  explicit key_counters(std::uint64_t spread) noexcept : a(spread, 0), b(spread, 1), c(spread, 2), d(spread, 3) {}

  std::uint64_t least(const std::array<std::uint64_t, 8>& words) const noexcept {
    return less_of(less_of(a.in(words), b.in(words)), less_of(c.in(words), d.in(words)));
  }

  counter a, b, c, d;
};

}  // namespace

std::uint32_t frequency_sketch::estimate(std::uint32_t hash) const noexcept {
  const std::uint64_t spread_hash = spread(hash);
  return static_cast<std::uint32_t>(key_counters(spread_hash).least(line_of(spread_hash).words));
}

// All four counters are raised, also those that already count other keys too. Raising the least ones alone
// ("conservative update") would be more exact, but it ties the keys of a loop, and a cache that prefers none of them
// keeps none.
std::uint32_t frequency_sketch::add(std::uint32_t hash, std::uint32_t count) noexcept {
  if (growing()) [[unlikely]] move(moved_at_once);
  const std::uint64_t spread_hash = spread(hash);
  auto& words = line_of(spread_hash).words;
  const key_counters mine(spread_hash);
  const auto before = static_cast<std::uint32_t>(mine.least(words));
  if (before == max_count) return before;
  mine.a.raise(words, count);
  mine.b.raise(words, count);
  mine.c.raise(words, count);
  mine.d.raise(words, count);
  additions_ += count;
  if (additions_ >= additions_per_entry * std::min(covered(), capacity_)) halve();
  return before;
}

void frequency_sketch::halve() noexcept {
  move(smaller_.size());
  for (line& each : lines_) {
    for (std::uint64_t& word : each.words) word = word >> 1 & low_three_bits;
  }
  additions_ /= 2;
}

// The line of a hash is its upper half times the number of lines: with twice the lines, what was in line i is looked
// for in 2i or 2i + 1, so a copy in both keeps every estimate.
void frequency_sketch::grow() {
  move(smaller_.size());  // long done, as a rule
  zeroed_array<line> twice(2 * lines_.size());
  smaller_ = std::exchange(lines_, std::move(twice));
}

void frequency_sketch::move(std::size_t count) noexcept {
  for (const std::size_t end = std::min(moved_ + count, smaller_.size()); moved_ != end; ++moved_) {
    lines_[2 * moved_] = lines_[2 * moved_ + 1] = smaller_[moved_];
  }
  if (moved_ != smaller_.size()) return;
  smaller_ = {};
  moved_ = 0;
}

void frequency_sketch::fold() {
  move(smaller_.size());
  zeroed_array<line> half(lines_.size() / 2);
  for (std::size_t i = 0; i != half.size(); ++i) {
    for (std::size_t word = 0; word != 8; ++word) {
      const std::uint64_t a = lines_[2 * i].words[word];
      const std::uint64_t b = lines_[2 * i + 1].words[word];
      for (std::uint32_t shift = 0; shift != 64; shift += 4) {
        half[i].words[word] |= std::max(a >> shift & max_count, b >> shift & max_count) << shift;
      }
    }
  }
  lines_ = std::move(half);
}

// As many lines as there must be at first for doubling to end just above what the capacity needs.
std::size_t frequency_sketch::lines_for(std::size_t entries) const noexcept {
  std::size_t lines = std::max<std::size_t>(1, entries / entries_per_line + (entries % entries_per_line != 0));
  while (lines >= 2 * first_lines) lines = lines / 2 + lines % 2;
  return lines;
}

void frequency_sketch::resize(std::size_t capacity, std::size_t entries) {
  capacity_ = std::max<std::size_t>(1, capacity);
  if (lines_.empty()) lines_ = zeroed_array<line>(lines_for(capacity_));
  while (lines_.size() % 2 == 0 && covered() / 2 >= capacity_) fold();
  while (outgrown(entries)) grow();
}

void frequency_sketch::clear() {
  lines_ = zeroed_array<line>(lines_for(capacity_));
  smaller_ = {};
  moved_ = 0;
  additions_ = 0;
}

}  // namespace seawall::eviction
