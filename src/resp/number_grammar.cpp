#include "number_grammar.hpp"

namespace seawall::resp {
namespace {

/// Takes text from the front; remembers where it stopped.
class taker {
 public:
  explicit taker(std::string_view text) : text_(text) {}

  bool one_of(std::string_view choices) noexcept {
    if (at_ >= text_.size() || choices.find(text_[at_]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  bool digits() noexcept {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ != begin;
  }
  bool rest_is(std::string_view word) const noexcept { return text_.substr(at_) == word; }
  std::size_t stopped() const noexcept { return at_ == text_.size() ? std::string_view::npos : at_; }
  std::size_t here() const noexcept { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::size_t bad_byte_of_double(std::string_view text) noexcept {
  taker take{text};
  take.one_of("+-");
  if (take.rest_is("inf") || take.rest_is("nan")) return std::string_view::npos;
  if (!take.digits()) return take.here();
  if (take.one_of(".") && !take.digits()) return take.here();
  if (take.one_of("eE")) {
    take.one_of("+-");
    if (!take.digits()) return take.here();
  }
  return take.stopped();
}

std::size_t bad_byte_of_big_number(std::string_view text) noexcept {
  taker take{text};
  take.one_of("+-");
  return take.digits() ? take.stopped() : take.here();
}

}  // namespace seawall::resp
