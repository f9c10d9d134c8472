#include "sim_server.hpp"

#include <string>
#include <string_view>

namespace simulation {
namespace {

/// Whether a pattern of SCAN fits, of those with stars and escapes.
bool fits(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (fits(pattern.substr(1), text.substr(i))) return true;
    }
    return false;
  }
  if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  return !text.empty() && text[0] == pattern[0] && fits(pattern.substr(1), text.substr(1));
}

}  // namespace

/// A few keys at a time, in their order. A cursor of another server leads nowhere.
reply sim_node::scan(arguments command) {
  std::string from;
  reply made{.kind = reply::is::list, .items = {reply::bulk("0"), reply{.kind = reply::is::list}}};
  if (command[1] != "0") {
    const auto found = scans_.find(command[1]);
    if (found == scans_.end()) return made;
    from = found->second;
  }
  std::string_view pattern = "*";
  for (std::size_t i = 2; i + 1 < command.size(); i += 2) {
    if (command[i] == "MATCH") pattern = command[i + 1];
  }
  auto next = keys_.lower_bound(from);
  for (std::size_t left = 1 + draws_.below(4); left != 0 && next != keys_.end(); --left, ++next) {
    if (fits(pattern, next->first)) made.items[1].items.push_back(reply::bulk(next->first));
  }
  if (next == keys_.end()) return made;
  made.items[0].text = std::to_string(1 + draws_.below(1'000'000'000));
  scans_[made.items[0].text] = next->first;
  return made;
}

}  // namespace simulation
