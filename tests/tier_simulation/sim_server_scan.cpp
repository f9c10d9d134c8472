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

bool is_number(std::string_view text) { return text.find_first_not_of("0123456789") == text.npos && !text.empty(); }

}  // namespace

/// A few keys at a time, in their order, however many are asked for. A cursor of another server leads nowhere.
reply sim_node::scan(arguments command) {
  if (!is_number(command[1])) return reply::failure("ERR invalid cursor");
  std::string_view pattern = "*";
  for (std::size_t i = 2; i != command.size(); i += 2) {
    const bool is_count = command[i] == "COUNT";
    if (i + 1 == command.size() || (!is_count && command[i] != "MATCH")) return reply::failure("ERR syntax error");
    if (!is_count) pattern = command[i + 1];
    else if (!is_number(command[i + 1]) || command[i + 1] == "0") return reply::failure("ERR syntax error");
  }
  std::string from;
  reply made{.kind = reply::is::list, .items = {reply::bulk("0"), reply{.kind = reply::is::list}}};
  if (command[1] != "0") {
    const auto found = scans_.find(command[1]);
    if (found == scans_.end()) return made;
    from = found->second;
  }
  auto next = keys_.lower_bound(from);
  for (std::size_t left = 1 + draws_.below(4); left != 0 && next != keys_.end(); --left) {
    const std::string key = (next++)->first;
    if (fits(pattern, key) && find(key)) made.items[1].items.push_back(reply::bulk(key));
  }
  if (next == keys_.end()) return made;
  made.items[0].text = std::to_string(1 + draws_.below(1'000'000'000));
  scans_[made.items[0].text] = next->first;
  return made;
}

}  // namespace simulation
