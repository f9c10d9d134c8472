#include "cluster_trail.hpp"

#include <algorithm>

namespace seawall::redis {

void cluster_trail::note(const cmd::request& asked, bool first, const net::address& from, std::string_view answer) {
  auto here = std::find_if(entries_.begin(), entries_.end(), [&](const entry& e) { return e.who == &asked; });
  if (here == entries_.end()) {
    if (entries_.size() == most_requests) entries_.pop_front();
    entries_.push_back({&asked, {}});
    here = entries_.end() - 1;
  }
  if (first) here->text.clear();
  if (here->text.size() >= most_bytes) return;
  if (!here->text.empty()) here->text += ", ";
  here->text += from.text();
  here->text += ": ";
  here->text += answer.substr(0, most_of_answer);
}

std::string_view cluster_trail::of(const cmd::request& asked) const noexcept {
  const auto here = std::find_if(entries_.begin(), entries_.end(), [&](const entry& e) { return e.who == &asked; });
  return here == entries_.end() ? std::string_view{} : here->text;
}

}  // namespace seawall::redis
