// value: a RESP value that owns its bytes, for replies whose shape no type describes.
#pragma once

#include "seawall/resp/view.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace seawall::resp {

/// A copy of a frame. The same questions as to a `view` through `->`; elements are views into it.
///
///     auto reply = client.command({"CONFIG", "GET", "maxmemory"});
///     if (reply) fmt::print("{}\n", (*reply)->find("maxmemory").text());
///
/// Thread safety: as a std::string.
class value {
 public:
  /// A null.
  value() = default;
  explicit value(view of) : bytes_(of.raw()) {}

  value(const value&) = default;
  value& operator=(const value&) = default;
  value(value&&) = default;
  value& operator=(value&&) = default;

  view get() const noexcept { return bytes_.empty() ? view{} : view{std::string_view{bytes_}}; }
  view operator*() const noexcept { return get(); }

  /// What `->` answers: a view that lives for the expression.
  struct arrow {
    view of;
    const view* operator->() const noexcept { return &of; }
  };
  arrow operator->() const noexcept { return {get()}; }

  /// Same bytes on the wire.
  friend bool operator==(const value&, const value&) = default;

 private:
  std::string bytes_;
};

/// A value as redis-cli would show it, without its attributes: for logs, messages and tests. Strings are escaped, long
/// ones cut at `most` bytes.
std::string describe(view of, std::size_t most = 64);

}  // namespace seawall::resp
