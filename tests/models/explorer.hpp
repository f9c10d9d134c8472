// A small explicit-state model checker: it goes through every state that a protocol can reach, breadth first, so that
// the trace to a broken promise is a shortest one.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::models {

/// What a protocol may break.
enum class promise : std::uint8_t {
  lin,   ///< Linearizable: a read is as new as every write that returned, and every value that was read, before it.
  reg,   ///< Regular: a read is as new as every write that returned before it.
  own,   ///< What a process wrote, or read, before is what its reads are held against; others' do not count.
  perm,  ///< When all is done and nothing is on its way, what is cached is what the database has.
};

inline constexpr std::array<std::string_view, 4> promise_names{"LIN", "REG", "OWN", "PERM"};

/// A set of promises.
class promises {
 public:
  constexpr promises() = default;
  constexpr promises(promise one) : bits_(static_cast<std::uint8_t>(1U << static_cast<unsigned>(one))) {}

  constexpr bool has(promise one) const { return (bits_ & promises(one).bits_) != 0; }

  friend constexpr promises operator|(promises a, promises b) {
    a.bits_ |= b.bits_;
    return a;
  }
  friend constexpr bool operator==(promises, promises) = default;

  friend std::ostream& operator<<(std::ostream& out, promises set) {
    if (set == promises()) return out << "nothing";
    for (std::size_t i = 0; i != promise_names.size(); ++i) {
      if (set.has(static_cast<promise>(i))) out << promise_names[i] << ' ';
    }
    return out;
  }

 private:
  std::uint8_t bits_ = 0;
};

constexpr promises operator|(promise a, promise b) { return promises(a) | promises(b); }

struct outcome {
  std::size_t states = 0;
  bool complete = false;  ///< False: there are more states than the limit, and the rest was not looked at.
  promises broken;
  /// For each promise that was broken the steps of a shortest way there.
  std::array<std::vector<std::string>, promise_names.size()> traces;
};

inline std::string to_string(const outcome& found) {
  std::string text = fmt::format("{} states{}\n", found.states, found.complete ? "" : ", cut off at the limit");
  for (std::size_t i = 0; i != found.traces.size(); ++i) {
    if (found.traces[i].empty()) continue;
    text += fmt::format("{} is broken in {} steps:\n", promise_names[i], found.traces[i].size());
    for (const std::string& step : found.traces[i]) text += fmt::format("  {}\n", step);
  }
  return text;
}

/// Explores a model, which has
///   a type `state`, copied and compared as bytes;
///   `state first() const`;
///   `void steps(const state&, auto& out) const`, which calls for every step that can be taken from a state
///   `out.step(next, "format", args...)`, and for every promise that the state breaks
///   `out.breaks(promise, "format", args...)`.
/// The texts are formatted for traces only. One thread.
template <typename Model>
class explorer {
  using state = typename Model::state;
  static_assert(std::is_trivially_copyable_v<state> && std::has_unique_object_representations_v<state>);

 public:
  /// `limit`: of the states, all of which are kept in memory.
  explicit explorer(const Model& model, std::size_t limit = 6'000'000) : model_(model), limit_(limit) {}

  outcome run() {
    places_.assign(1U << 12, {});
    insert(model_.first(), nobody);
    for (std::uint32_t at = 0; at != states_.size(); ++at) {
      if (states_.size() > limit_) return finish(false);
      const state now = states_[at];  // a copy: the vector grows
      collector out{*this, at};
      model_.steps(now, out);
    }
    return finish(true);
  }

 private:
  static constexpr std::uint32_t nobody = UINT32_MAX;

  /// The hash saves a look at most of the states that are not the one that is sought.
  struct place {
    std::uint32_t hash = 0;
    std::uint32_t index = nobody;
  };

  struct violation {
    std::uint32_t at = nobody;
    std::string what;
  };

  struct collector {
    explorer& owner;
    std::uint32_t from;

    template <typename... Args>
    void step(const state& next, fmt::format_string<Args...>, Args&&...) {
      owner.insert(next, from);
    }
    template <typename... Args>
    void breaks(promise which, fmt::format_string<Args...> format, Args&&... args) {
      violation& first = owner.violations_[static_cast<std::size_t>(which)];
      if (first.at == nobody) first = {from, fmt::format(format, std::forward<Args>(args)...)};
    }
  };

  /// Says which step leads to `wanted`.
  struct narrator {
    const state& wanted;
    std::string said;

    template <typename... Args>
    void step(const state& next, fmt::format_string<Args...> format, Args&&... args) {
      if (said.empty() && same(next, wanted)) said = fmt::format(format, std::forward<Args>(args)...);
    }
    template <typename... Args>
    void breaks(promise, fmt::format_string<Args...>, Args&&...) {}
  };

  static bool same(const state& a, const state& b) { return std::memcmp(&a, &b, sizeof(state)) == 0; }

  /// Of states; it also says where a table that is no larger than 2^32 puts them.
  static std::uint32_t hash(const state& one) {
    std::uint64_t mixed = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(&one);
    for (std::size_t at = 0; at < sizeof(state); at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + at, std::min(sizeof(word), sizeof(state) - at));
      mixed = (mixed ^ word) * 0x9e37'79b9'7f4a'7c15U;
      mixed ^= mixed >> 29;
    }
    return static_cast<std::uint32_t>(mixed * 0xbf58'476d'1ce4'e5b9U >> 32);
  }

  void insert(const state& one, std::uint32_t parent) {
    if (2 * (states_.size() + 1) > places_.size()) grow();
    const std::uint32_t wanted = hash(one);
    std::size_t at = wanted & (places_.size() - 1);
    for (; places_[at].index != nobody; at = (at + 1) & (places_.size() - 1)) {
      if (places_[at].hash == wanted && same(states_[places_[at].index], one)) return;
    }
    places_[at] = {wanted, static_cast<std::uint32_t>(states_.size())};
    states_.push_back(one);
    parents_.push_back(parent);
  }

  void grow() {
    const std::vector<place> old = std::exchange(places_, std::vector<place>(4 * places_.size()));
    for (const place& one : old) {
      if (one.index == nobody) continue;
      std::size_t at = one.hash & (places_.size() - 1);
      while (places_[at].index != nobody) at = (at + 1) & (places_.size() - 1);
      places_[at] = one;
    }
  }

  outcome finish(bool complete) {
    outcome found{.states = states_.size(), .complete = complete, .broken = {}, .traces = {}};
    for (std::size_t i = 0; i != violations_.size(); ++i) {
      if (violations_[i].at == nobody) continue;
      found.broken = found.broken | static_cast<promise>(i);
      found.traces[i] = trace(violations_[i]);
    }
    return found;
  }

  std::vector<std::string> trace(const violation& last) const {
    std::vector<std::string> steps{last.what};
    for (std::uint32_t at = last.at; parents_[at] != nobody; at = parents_[at]) {
      narrator out{states_[at], {}};
      model_.steps(states_[parents_[at]], out);
      steps.insert(steps.begin(), std::move(out.said));
    }
    return steps;
  }

  const Model& model_;
  const std::size_t limit_;
  std::vector<state> states_;  // in the order in which they were found: it is the queue, too
  std::vector<std::uint32_t> parents_;
  std::vector<place> places_;  // open addressing over states_
  std::array<violation, promise_names.size()> violations_;
};

template <typename Model>
outcome explore(const Model& model, std::size_t limit = 6'000'000) {
  return explorer<Model>(model, limit).run();
}

}  // namespace seawall::models
