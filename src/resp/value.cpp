#include "seawall/resp/value.hpp"

#include "escape.hpp"

#include <fmt/format.h>

#include <iterator>

namespace seawall::resp {
namespace {

/// Aggregates are laid out as redis-cli does: an element a line, those of an inner one further to the right.
class describer {
 public:
  explicit describer(std::size_t most) : most_(most) {}

  std::string run(view of) {
    put(of);
    while (!levels_.empty()) {
      level& top = levels_.back();
      if (top.at == top.end) {
        levels_.pop_back();
      } else {
        next(top);
      }
    }
    return std::move(out_);
  }

 private:
  struct level {
    view::iterator at;
    view::iterator end;
    std::size_t seen;
    std::size_t indent;
    std::size_t width;  // of the largest number
    char mark;
  };

  /// Puts the element at `top.at`, which may add a level and so move `top`.
  void next(level& top) {
    const view element = *top.at++;
    const std::size_t index = top.seen++;
    const bool map = top.mark == '#';
    if (map && index % 2 == 1) {
      out_ += " => ";
    } else {
      if (index != 0) out_.append(1, '\n').append(top.indent, ' ');
      fmt::format_to(std::back_inserter(out_), "{:>{}}{} ", (map ? index / 2 : index) + 1, top.width, top.mark);
    }
    put(element);
  }

  void put(view of) {
    switch (of.kind()) {
      case kind::array: return open(of, "array", ')');
      case kind::set: return open(of, "set", '~');
      case kind::push: return open(of, "push", '>');
      case kind::map: return open(of, "hash", '#');
      case kind::null: out_ += "(nil)"; return;
      case kind::boolean: out_ += *of.boolean() ? "(true)" : "(false)"; return;
      case kind::simple_string: return plain("", of.text());
      case kind::simple_error:
      case kind::bulk_error: return plain("(error) ", of.text());
      case kind::integer: return plain("(integer) ", of.text());
      case kind::number: return plain("(double) ", of.text());
      case kind::big_number: return plain("(big number) ", of.text());
      default: break;
    }
    out_ += quoted(of.text().substr(0, most_));
    tell_cut(of.text());
  }

  void open(view of, std::string_view name, char mark) {
    if (of.empty()) {
      fmt::format_to(std::back_inserter(out_), "(empty {})", name);
      return;
    }
    const std::size_t indent = levels_.empty() ? 0 : levels_.back().indent + levels_.back().width + 2;
    const std::size_t largest = mark == '#' ? of.size() / 2 : of.size();
    levels_.push_back({of.begin(), of.end(), 0, indent, fmt::formatted_size("{}", largest), mark});
  }

  void plain(std::string_view label, std::string_view text) {
    const std::string escaped = quoted(text.substr(0, most_));
    out_ += label;
    out_.append(escaped, 1, escaped.size() - 2);
    tell_cut(text);
  }

  void tell_cut(std::string_view text) {
    if (text.size() > most_) fmt::format_to(std::back_inserter(out_), "... ({} bytes)", text.size());
  }

  std::size_t most_;
  std::string out_;
  std::vector<level> levels_;
};

}  // namespace

std::string describe(view of, std::size_t most) { return describer{most}.run(of); }

}  // namespace seawall::resp
