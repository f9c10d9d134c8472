// Walks over keys, set members, hash fields and sorted sets as ranges, page after page, on any target.
//
//     for (const auto& key : cmd::scan(redis.target(), {.match = "user:*", .count = 500})) {
//       if (!key) return key.error();      // the walk ends here
//       use(*key);
//     }
//
// In a cluster, `scan` goes over all primaries. What SCAN promises: an element that is there all the time comes once,
// or more often.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/cmd/run.hpp"
#include "seawall/cmd/scan.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace seawall::cmd {

/// An input range of results: elements, and after a failure its error as the last one. Each step of a page blocks; see
/// run.hpp. Thread safety: none.
template <class T>
class scan_range {
 public:
  using step = std::function<result<scan_page<T>>(std::uint64_t cursor)>;

  explicit scan_range(step take) : take_(std::move(take)) {}

  class iterator {
   public:
    using value_type = result<T>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit iterator(scan_range& of) : of_(&of) {}
    const result<T>& operator*() const noexcept { return *of_->now_; }
    const result<T>* operator->() const noexcept { return &*of_->now_; }
    iterator& operator++() {
      of_->advance();
      return *this;
    }
    void operator++(int) { of_->advance(); }
    friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept { return i.at_end(); }

   private:
    bool at_end() const noexcept { return !of_->now_; }

    scan_range* of_;
  };

  /// Takes the first step. Requires: called once.
  iterator begin() {
    advance();
    return iterator{*this};
  }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  void advance() {
    while (at_ == page_.elements.size()) {
      if (through_) return now_.reset();
      auto next = take_(page_.next);
      through_ = !next || next->through();
      at_ = 0;
      if (!next) {
        page_ = {};
        now_.emplace(std::unexpected(std::move(next.error())));
        return;
      }
      page_ = *std::move(next);
    }
    now_.emplace(std::move(page_.elements[at_++]));
  }

  step take_;
  scan_page<T> page_;
  std::size_t at_ = 0;
  bool through_ = false;
  std::optional<result<T>> now_;  // nothing: the end
};

namespace detail {

/// Options whose strings live as long as the walk.
class owned_scan_options {
 public:
  explicit owned_scan_options(const scan_options& how)
      : count_(how.count), match_(owned(how.match)), type_(owned(how.type)) {}
  scan_options get() const { return {.match = match_, .count = count_, .type = type_}; }

 private:
  static std::optional<std::string> owned(std::optional<std::string_view> text) {
    return text ? std::optional<std::string>{*text} : std::nullopt;
  }

  std::optional<std::int64_t> count_;
  std::optional<std::string> match_;
  std::optional<std::string> type_;
};

}  // namespace detail

/// SCAN: all keys.
inline scan_range<std::string> scan(target& where, const scan_options& how = {}) {
  return scan_range<std::string>{[&where, how = detail::owned_scan_options{how}](std::uint64_t cursor) {
    return run(where, scan_step(cursor, how.get()));
  }};
}
/// SSCAN: the members of a set.
template <class T = std::string>
scan_range<T> sscan(target& where, std::string_view key, const scan_options& how = {}) {
  return scan_range<T>{[&where, key = std::string{key}, how = detail::owned_scan_options{how}](std::uint64_t cursor) {
    return run(where, sscan_step<T>(key, cursor, how.get()));
  }};
}
/// HSCAN: fields with their values.
template <class T = std::string>
scan_range<std::pair<std::string, T>> hscan(target& where, std::string_view key, const scan_options& how = {}) {
  using pair = std::pair<std::string, T>;
  return scan_range<pair>{[&where, key = std::string{key}, how = detail::owned_scan_options{how}](std::uint64_t at) {
    return run(where, hscan_step<T>(key, at, how.get()));
  }};
}
/// ZSCAN: members with their scores.
template <class T = std::string>
scan_range<scored<T>> zscan(target& where, std::string_view key, const scan_options& how = {}) {
  using member = scored<T>;
  return scan_range<member>{[&where, key = std::string{key}, how = detail::owned_scan_options{how}](std::uint64_t at) {
    return run(where, zscan_step<T>(key, at, how.get()));
  }};
}

}  // namespace seawall::cmd
