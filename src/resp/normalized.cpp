#include "seawall/resp/view.hpp"
#include "seawall/resp/writer.hpp"

#include <array>
#include <vector>

namespace seawall::resp {
namespace {

/// Copies a frame; the header of a streamed form is put before its contents when their number is known. A header moves
/// only what is inside its own form, so the work is at most the bytes times the depth.
class normalizer {
 public:
  explicit normalizer(std::string_view frame) : at_(frame.data()), end_(at_ + frame.size()) {
    out_.reserve(frame.size());
  }

  std::string run() {
    while (at_ != end_) {
      if (*at_ == '.') {
        close_streamed();
      } else if (at_[1] == '?' && is("$*~%")) {
        open_streamed();
      } else if (at_[1] != '-' && is("*~%>|")) {
        open_definite();
      } else {
        const std::string_view value = view{std::string_view{at_, end_}}.raw();
        out_ += value;
        at_ += value.size();
        value_ended();
      }
    }
    return std::move(out_);
  }

 private:
  struct level {
    char type;
    bool streamed;
    std::uint64_t left;  // of a streamed form: children seen
    std::size_t begin;   // its contents in out_
  };

  bool is(std::string_view types) const { return types.find(*at_) != std::string_view::npos; }

  void put_header(std::size_t where, char type, std::uint64_t count) {
    std::array<char, max_header> text;
    const char* const end = write_header(text.data(), static_cast<kind>(type), count);
    out_.insert(where, text.data(), static_cast<std::size_t>(end - text.data()));
  }

  std::uint64_t read_count() {
    std::uint64_t n = 0;
    for (++at_; *at_ != '\r'; ++at_) n = n * 10 + static_cast<std::uint64_t>(*at_ - '0');
    at_ += 2;
    return n;
  }

  void open_streamed() {
    const char type = *at_;
    at_ += 4;
    const std::size_t begin = out_.size();
    if (type != '$') return levels_.push_back({type, true, 0, begin});
    while (const std::uint64_t length = read_count()) {
      out_.append(at_, length);
      at_ += length + 2;
    }
    put_header(begin, '$', out_.size() - begin);
    out_ += "\r\n";
    value_ended();
  }

  void open_definite() {
    const char type = *at_;
    const std::uint64_t count = read_count();
    put_header(out_.size(), type, count);
    const bool pairs = type == '%' || type == '|';
    if (count != 0) return levels_.push_back({type, false, pairs ? 2 * count : count, 0});
    if (type != '|') value_ended();
  }

  void close_streamed() {
    const level ended = levels_.back();
    levels_.pop_back();
    put_header(ended.begin, ended.type, ended.type == '%' ? ended.left / 2 : ended.left);
    at_ += 3;
    value_ended();
  }

  void value_ended() {
    while (!levels_.empty()) {
      level& top = levels_.back();
      if (top.streamed) {
        ++top.left;
        return;
      }
      if (--top.left != 0) return;
      const bool attribute = top.type == '|';
      levels_.pop_back();
      if (attribute) return;  // the value that it describes is still to come
    }
  }

  const char* at_;
  const char* end_;
  std::string out_;
  std::vector<level> levels_;
};

}  // namespace

std::string normalized(std::string_view frame) { return normalizer{frame}.run(); }

}  // namespace seawall::resp
