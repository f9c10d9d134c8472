// complaint: why a scanner refuses a stream, as plain data; the sentence is made only when it is needed.
#pragma once

#include "seawall/resp/scanner.hpp"

#include <cstdint>
#include <string_view>

namespace seawall::resp {

struct scanner::complaint {
  std::size_t at = 0;              // the byte that cannot be right, from the beginning of the frame
  const char* expected = nullptr;  // a phrase: what should have been there
  const char* limit = nullptr;     // instead: the limit's name, and
  std::uint64_t announced = 0;     // what was to exceed
  std::uint64_t most = 0;          // the limit

  step refuse(std::size_t where, const char* what) noexcept {
    at = where;
    expected = what;
    return step::failed;
  }
  step exceed(std::size_t where, const char* name, std::uint64_t wanted, std::uint64_t allowed) noexcept {
    at = where;
    limit = name;
    announced = wanted;
    most = allowed;
    return step::failed;
  }

  /// Names the byte, what came and what was expected; knows servers that speak another protocol.
  error sentence(std::string_view stream) const;
};

}  // namespace seawall::resp
