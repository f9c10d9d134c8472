#include "seawall/cmd/builder.hpp"

#include <limits>
#include <vector>

namespace seawall::cmd {

builder::builder(const command_name& name) {
  made_.traits_ = name.about();
  made_.bytes_.append(name.first());
  if (!name.second().empty()) made_.bytes_.append(name.second());
}

builder::builder(std::string_view name, const traits& about) {
  made_.traits_ = about;
  made_.bytes_.append(name);
  check(!name.empty(), "a command needs a name");
}

builder& builder::key(std::string_view key) { return text(key); }

builder& builder::text(std::string_view text) {
  made_.bytes_.append(text);
  return *this;
}

builder& builder::number(std::int64_t number) {
  made_.bytes_.append(number);
  return *this;
}

builder& builder::real(double number) {
  char digits[seawall::detail::max_number];
  return text(seawall::detail::print_number(number, digits)).check(number == number, "a number is not a number (nan)");
}

builder& builder::flag(bool yes, std::string_view word) { return yes ? text(word) : *this; }

builder& builder::option(std::string_view word, std::optional<std::int64_t> number, const char* complaint) {
  if (!number) return *this;
  return text(word).number(*number).check(*number >= 0, complaint);
}

builder& builder::time(duration length, std::string_view seconds, std::string_view milliseconds) {
  const bool whole = length % std::chrono::seconds{1} == duration::zero();
  if (whole) return text(seconds).number(std::chrono::duration_cast<std::chrono::seconds>(length).count());
  return text(milliseconds).number(std::chrono::ceil<std::chrono::milliseconds>(length).count());
}

builder& builder::check(bool good, const char* complaint) noexcept {
  if (!good && made_.invalid_ == nullptr) made_.invalid_ = complaint;
  return *this;
}

builder& builder::look_up() {
  std::vector<std::string_view> arguments;
  arguments.reserve(size());
  for (const resp::view argument : resp::view{made_.bytes_.bytes()}) arguments.push_back(argument.text());
  made_.traits_ = traits_of_arguments(arguments);
  return *this;
}

builder& builder::effect(cmd::effect what) noexcept {
  made_.traits_.effect = what;
  return *this;
}

builder& builder::key_positions(std::size_t first, std::size_t count) noexcept {
  traits& about = made_.traits_;
  constexpr std::size_t most = std::numeric_limits<std::int8_t>::max();
  about.count_at = 0;
  about.key_step = 1;
  about.first_key = count == 0 || first > most ? std::uint8_t{0} : static_cast<std::uint8_t>(first);
  about.last_key = static_cast<std::int8_t>(std::min(first + count - 1, most));
  return *this;
}

builder& builder::blocks(duration longest) noexcept {
  made_.traits_.blocking = true;
  made_.server_wait_ = longest;
  return check(longest > duration::zero(), "the wait must be positive (seawall::forever: without end)");
}

builder& builder::wait_seconds(duration longest) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(longest);
  if (longest == forever) number(0);
  else real(static_cast<double>(milliseconds.count()) / 1000);
  return blocks(longest);
}

builder& builder::wait_milliseconds(duration longest) {
  number(longest == forever ? 0 : std::chrono::ceil<std::chrono::milliseconds>(longest).count());
  return blocks(longest);
}

builder& builder::does_not_block() noexcept {
  made_.traits_.blocking = false;
  return *this;
}

builder& builder::source(std::shared_ptr<const std::string> script) noexcept {
  made_.source_ = std::move(script);
  return *this;
}

}  // namespace seawall::cmd
