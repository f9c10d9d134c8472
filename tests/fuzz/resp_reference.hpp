// A second reading of RESP, as plain as it can be: recursive, a copy of everything, all bytes at once. What the module
// `resp` answers is held against it.
#pragma once

#include <seawall/resp/kind.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::fuzz {

/// A value. Nulls of every kind have the type '_'; a streamed form has the type of its definite one.
struct tree {
  char type = '_';
  std::string text;            ///< What stands between header and CR LF; of a verbatim string with its format.
  std::vector<tree> children;  ///< A map's keys and values by turns.
  std::vector<std::vector<tree>> attributes{};
  bool streamed = false;  ///< Only this value itself; does not count as a difference.

  friend bool operator==(const tree& a, const tree& b) {
    return a.type == b.type && a.text == b.text && a.children == b.children && a.attributes == b.attributes;
  }
};

enum class verdict { complete, more, refused };

struct reading {
  verdict what = verdict::more;
  std::size_t length = 0;  ///< Of the frame, when complete.
  tree value{};
  bool streamed = false;  ///< Anywhere.
};

/// What is at the front of `stream`. Lines are judged when they are complete: `more` may stand for bytes of which a
/// quicker reader can tell that they will never be right.
reading reference(std::string_view stream, const resp::limits& most = {});

/// The bytes of a value; `streamed` decides on the form.
void write(const tree& value, std::string& out);

}  // namespace seawall::fuzz
