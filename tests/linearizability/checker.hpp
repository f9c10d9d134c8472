// Whether what several threads saw of one key can be put into one order, in which each operation takes effect at some
// moment between its call and its return (Wing & Gong, "Testing and verifying concurrent objects", 1993; with the
// memoization of Lowe, "Testing for linearizability", 2017).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace seawall::linearizability {

enum class kind : std::uint8_t { get, put, put_if_absent, replace_if_equal, remove, compute };

/// 0 stands for "nothing is there".
struct operation {
  kind what;
  int value = 0;     ///< What get returned; what the others would put.
  int expected = 0;  ///< What compute saw; what replace_if_equal asked for.
  bool done = true;  ///< put: it replaced something. The others: it did something.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// What is there after the operation, or nothing if it cannot have ended so where `now` is there.
constexpr std::optional<int> apply(const operation& one, int now) {
  switch (one.what) {
    case kind::get: return one.value == now ? std::optional(now) : std::nullopt;
    case kind::put: return one.done == (now != 0) ? std::optional(one.value) : std::nullopt;
    case kind::put_if_absent:
      if (one.done != (now == 0)) return std::nullopt;
      return one.done ? one.value : now;
    case kind::replace_if_equal:
      if (one.done != (now != 0 && now == one.expected)) return std::nullopt;
      return one.done ? one.value : now;
    case kind::remove: return one.done == (now != 0) ? std::optional(0) : std::nullopt;
    case kind::compute: return one.expected == now ? std::optional(one.value) : std::nullopt;
  }
  return std::nullopt;
}

/// `vanishes`: the value may go at any moment by itself, as it does when it is evicted.
class checker {
 public:
  checker(const std::vector<operation>& history, bool vanishes) : history_(history), vanishes_(vanishes) {}

  /// Requires: at most 64 operations.
  bool linearizable(int at_first = 0) { return search(0, at_first); }

 private:
  struct seen_hash {
    std::size_t operator()(const std::pair<std::uint64_t, int>& one) const noexcept {
      return (one.first ^ static_cast<std::uint64_t>(one.second) << 40) * 0x9e37'79b9'7f4a'7c15U >> 7;
    }
  };

  bool search(std::uint64_t done, int now) {
    const std::uint64_t all = history_.size() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << history_.size()) - 1;
    if (done == all) return true;
    if (!seen_.insert({done, now}).second) return false;
    // What begins after another one has ended comes after it.
    std::uint64_t earliest_end = UINT64_MAX;
    for (std::size_t i = 0; i != history_.size(); ++i) {
      if ((done >> i & 1) == 0 && history_[i].end < earliest_end) earliest_end = history_[i].end;
    }
    for (std::size_t i = 0; i != history_.size(); ++i) {
      if ((done >> i & 1) != 0 || history_[i].begin > earliest_end) continue;
      const auto next = apply(history_[i], now);
      if (next && search(done | std::uint64_t{1} << i, *next)) return true;
    }
    return vanishes_ && now != 0 && search(done, 0);
  }

  const std::vector<operation>& history_;
  const bool vanishes_;
  std::unordered_set<std::pair<std::uint64_t, int>, seen_hash> seen_;
};

inline bool linearizable(const std::vector<operation>& history, bool vanishes = false) {
  return checker(history, vanishes).linearizable();
}

inline std::string describe(const std::vector<operation>& history) {
  constexpr const char* names[] = {"get", "put", "put_if_absent", "replace_if_equal", "remove", "compute"};
  std::string text;
  for (const operation& one : history) {
    text += std::to_string(one.begin) + ".." + std::to_string(one.end) + " " + names[static_cast<int>(one.what)] +
            " value " + std::to_string(one.value) + " expected " + std::to_string(one.expected) +
            (one.done ? " done\n" : " not done\n");
  }
  return text;
}

}  // namespace seawall::linearizability
