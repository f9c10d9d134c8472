// reply: what a command answers, before it becomes bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulation {

struct reply {
  enum class is : std::uint8_t { nil, number, bulk, status, failure, list };

  is kind = is::nil;
  std::int64_t number = 0;
  std::string text{};
  std::vector<reply> items{};

  static reply of(std::int64_t number) { return {.kind = is::number, .number = number}; }
  static reply bulk(std::string text) { return {.kind = is::bulk, .text = std::move(text)}; }
  static reply status(std::string text) { return {.kind = is::status, .text = std::move(text)}; }
  static reply failure(std::string text) { return {.kind = is::failure, .text = std::move(text)}; }
};

/// Appends the RESP3 form.
inline void append_resp(const reply& what, std::string& to) {
  const auto line = [&to](char type, std::string_view text) { ((to += type) += text) += "\r\n"; };
  switch (what.kind) {
    case reply::is::nil: to += "_\r\n"; return;
    case reply::is::number: return line(':', std::to_string(what.number));
    case reply::is::status: return line('+', what.text);
    case reply::is::failure: return line('-', what.text);
    case reply::is::bulk:
      line('$', std::to_string(what.text.size()));
      (to += what.text) += "\r\n";
      return;
    case reply::is::list:
      line('*', std::to_string(what.items.size()));
      for (const reply& one : what.items) append_resp(one, to);
  }
}

}  // namespace simulation
